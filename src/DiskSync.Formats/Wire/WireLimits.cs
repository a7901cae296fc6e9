namespace DiskSync.Formats.Wire;

/// <summary>The caps on everything that a peer supplies (safety rule 11).</summary>
public static class WireLimits
{
    /// <summary>The largest frame body: 8 MiB of payload and its descriptors.</summary>
    public const int MaxBody = (8 << 20) + (256 << 10);

    /// <summary>The smallest <see cref="MaxBody"/> a side may announce. Longer answers (maps, sub-hashes, bases) must be asked for in smaller parts then.</summary>
    public const int MinMaxBody = 64 << 10;

    /// <summary>The most payload bytes of one batch, so that a full entry table still fits <see cref="MaxBody"/>.</summary>
    public const int MaxPayload = 8 << 20;

    /// <summary>The most entries of one batch.</summary>
    public const int MaxBatchEntries = 2048;

    /// <summary>The most bases offered.</summary>
    public const int MaxBases = 256;

    /// <summary>The most nodes in one map answer.</summary>
    public const int MaxMapNodes = 65536;

    /// <summary>The highest level of map nodes: 256^5 blocks of the smallest granularity make the longest image.</summary>
    public const int MaxMapLevel = 5;

    /// <summary>What block numbers stay below: the blocks of the longest image at the smallest granularity.</summary>
    public const ulong MaxBlocks = 1UL << 40;

    /// <summary>The most blocks of an image that a session copies: 4 TiB of the smallest granularity, 64 TiB of the usual one. More is refused, not a violation.</summary>
    public const long MaxImageBlocks = 1L << 30;

    /// <summary>The most blocks of all images that are open in a session.</summary>
    public const long MaxSessionBlocks = 1L << 31;

    /// <summary>The most blocks in one sub-block request.</summary>
    public const int MaxSubHashBlocks = 4096;

    /// <summary>The most sub-block hashes in one answer; a request for more blocks of a large granularity must be split.</summary>
    public const int MaxSubHashes = 1 << 20;

    /// <summary>The most sub-blocks of a block.</summary>
    public const int MaxSubBlocks = 1024;

    /// <summary>The most contents asked for in one seed request.</summary>
    public const int MaxSeeds = MaxBatchEntries;

    /// <summary>The most wrong blocks that one answer lists.</summary>
    public const int MaxWrongBlocks = 4096;

    /// <summary>The most blocks of a sample.</summary>
    public const int MaxSample = 256;

    /// <summary>The most image bytes of a sample: what one message can have a destination read.</summary>
    public const long MaxSampleBytes = 64L << 20;

    /// <summary>The most spans of missing blocks in one message.</summary>
    public const int MaxSpans = 32768;

    /// <summary>The most images of one attempt.</summary>
    public const int MaxImages = 64;

    /// <summary>The longest text, in UTF-8 bytes.</summary>
    public const int MaxText = 4096;

    /// <summary>Whether a number can be an image's index in a session.</summary>
    public static bool IsImage(ushort image) => image < MaxImages;
}
