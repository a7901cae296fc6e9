using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>What one round over one image did.</summary>
public sealed record RoundResult
{
    /// <summary>The round, counted from 1.</summary>
    public required int Round { get; init; }

    /// <summary>By what it was known what to look at: a hash scan, or whoever tracked the writes.</summary>
    public string DirtySource { get; init; } = string.Empty;

    /// <summary>Blocks looked at, those in holes included.</summary>
    public long BlocksScanned { get; init; }

    /// <summary>Bytes read from the image.</summary>
    public long BytesRead { get; init; }

    /// <summary>Blocks that the destination did not hold as they are.</summary>
    public long BlocksChanged { get; init; }

    /// <summary>Of those, blocks that read as zeros.</summary>
    public long ZeroBlocks { get; init; }

    /// <summary>Of those, blocks sent as patches of 4 KiB sub-blocks.</summary>
    public long PatchedBlocks { get; init; }

    /// <summary>Of those, blocks that the destination copied from another place.</summary>
    public long CopiedBlocks { get; init; }

    /// <summary>Image bytes of the changed blocks, zeros left out.</summary>
    public long ChangedBytes { get; init; }

    /// <summary>Payload bytes before compression: literals, and the changed sub-blocks of patches.</summary>
    public long PayloadBytes { get; init; }

    /// <summary>Payload bytes as sent.</summary>
    public long EncodedBytes { get; init; }

    /// <summary>What went with which codec, the most used one first.</summary>
    public IReadOnlyList<CodecUse> Codecs { get; init; } = [];

    /// <summary>Bytes from source to destination during the round, frames and control messages included.</summary>
    public long BytesSent { get; init; }

    /// <summary>Bytes from destination to source during the round.</summary>
    public long BytesReceived { get; init; }

    /// <summary>What became of it where its end was to be kept (<see cref="SenderOptions.KeepsRounds"/>); null where not.</summary>
    public RoundKept? Kept { get; init; }

    /// <summary>How long the round took.</summary>
    public TimeSpan Elapsed { get; init; }
}
