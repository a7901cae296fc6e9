namespace DiskSync.Engine.Replication;

/// <summary>When block payloads are compressed, and how.</summary>
public readonly record struct CompressionMode
{
    /// <summary>What makes the copy fastest, decided batch by batch (<see cref="CompressionPolicy"/>).</summary>
    public static CompressionMode Auto => default;

    /// <summary>LZ4 wherever a block gets smaller.</summary>
    public static CompressionMode Always => Of(BatchCodec.Lz4);

    /// <summary>Never.</summary>
    public static CompressionMode Never => Of(BatchCodec.Raw);

    /// <summary>The codec that the user asks for; null for the choice of each batch.</summary>
    public BatchCodec? Fixed { get; private init; }

    /// <summary>One codec for all batches.</summary>
    public static CompressionMode Of(BatchCodec codec) => new() { Fixed = codec };

    /// <summary>Reads auto, always, never, raw, lz4, zstd or zstd:LEVEL.</summary>
    public static bool TryParse(string text, out CompressionMode mode)
    {
        ArgumentNullException.ThrowIfNull(text);
        mode = text.ToLowerInvariant() switch
        {
            "always" => Always,
            "never" => Never,
            _ => BatchCodec.TryParse(text, out BatchCodec codec) ? Of(codec) : Auto,
        };
        return mode.Fixed is not null || text.Equals("auto", StringComparison.OrdinalIgnoreCase);
    }
}
