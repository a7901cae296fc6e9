using System.Globalization;
using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>A way to send a batch: a codec and its level.</summary>
/// <param name="Kind">The codec.</param>
/// <param name="Level">The level of zstd; 0 for the others, which have none.</param>
public readonly record struct BatchCodec(CodecKind Kind, int Level)
{
    /// <summary>The level of zstd where a user names none.</summary>
    public const int DefaultZstdLevel = 3;

    /// <summary>No compression.</summary>
    public static BatchCodec Raw => new(CodecKind.Raw, 0);

    /// <summary>LZ4, fast level.</summary>
    public static BatchCodec Lz4 => new(CodecKind.Lz4, 0);

    /// <summary>zstd.</summary>
    /// <param name="level">1 to <see cref="Codecs.Zstd.MaxLevel"/>.</param>
    public static BatchCodec Zstd(int level) => new(CodecKind.Zstd, level);

    /// <summary>Reads what <see cref="ToString"/> writes; "zstd" alone is the default level.</summary>
    /// <returns>False where the text names no codec, or a level that there is not.</returns>
    public static bool TryParse(string text, out BatchCodec codec)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.ToLowerInvariant().Split(':', 2);
        int level = 0;
        if (parts.Length == 2
            && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out level)
                || level is < 1 or > Codecs.Zstd.MaxLevel))
        {
            codec = default;
            return false;
        }

        codec = parts[0] switch
        {
            "lz4" => Lz4,
            "zstd" => Zstd(level == 0 ? DefaultZstdLevel : level),
            _ => Raw,
        };
        return parts is ["raw"] or ["lz4"] or ["zstd", ..];
    }

    /// <summary>raw, lz4 or zstd:LEVEL.</summary>
    public override string ToString() => Kind switch
    {
        CodecKind.Lz4 => "lz4",
        CodecKind.Zstd => string.Create(CultureInfo.InvariantCulture, $"zstd:{Level}"),
        _ => "raw",
    };
}
