namespace DiskSync.Formats.ExportControl;

/// <summary>The dirty parts of 4 KiB of one stretch of 128 MiB.</summary>
/// <param name="Chunk">The stretch's number.</param>
/// <param name="Words">512 words, the lowest bit of the first for the first part; at least one bit is set.</param>
public sealed record DirtyBits(uint Chunk, ulong[] Words) : ControlMessage
{
    /// <summary>The words of a chunk.</summary>
    public const int WordCount = 512;

    /// <summary>The most chunks that an image can have: 64 TiB.</summary>
    public const uint MaxChunks = 1 << 19;
}
