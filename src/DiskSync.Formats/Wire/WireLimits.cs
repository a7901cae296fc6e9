namespace DiskSync.Formats.Wire;

/// <summary>The caps on everything that a peer supplies (safety rule 11).</summary>
public static class WireLimits
{
    /// <summary>The largest frame body: 8 MiB of payload and its descriptors.</summary>
    public const int MaxBody = (8 << 20) + (256 << 10);

    /// <summary>The most entries of one batch.</summary>
    public const int MaxBatchEntries = 2048;

    /// <summary>The most bases offered.</summary>
    public const int MaxBases = 256;

    /// <summary>The most nodes in one map answer.</summary>
    public const int MaxMapNodes = 65536;

    /// <summary>The most blocks in one sub-block request.</summary>
    public const int MaxSubHashBlocks = 4096;

    /// <summary>The most wrong blocks that one answer lists.</summary>
    public const int MaxWrongBlocks = 4096;

    /// <summary>The most images of one attempt.</summary>
    public const int MaxImages = 64;

    /// <summary>The longest text, in UTF-8 bytes.</summary>
    public const int MaxText = 4096;
}
