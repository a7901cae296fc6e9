namespace DiskSync.Codecs;

/// <summary>The constants of BLAKE3 (paper, sections 2.1 to 2.3).</summary>
internal static class Blake3Constants
{
    /// <summary>Bytes of one compression input (paper, table 2).</summary>
    public const int BlockLength = 64;

    /// <summary>Bytes of one leaf of the tree.</summary>
    public const int ChunkLength = 1024;

    /// <summary>Bytes of a chaining value.</summary>
    public const int CvLength = 32;

    /// <summary>32-bit words of a chaining value.</summary>
    public const int CvWords = 8;

    /// <summary>Bytes of a sub-block of a block: four chunks, so always a whole subtree.</summary>
    public const int SubBlockLength = 4096;

    // The initial values are SHA-256's (paper, table 1).
    public const uint Iv0 = 0x6A09E667;
    public const uint Iv1 = 0xBB67AE85;
    public const uint Iv2 = 0x3C6EF372;
    public const uint Iv3 = 0xA54FF53A;
    public const uint Iv4 = 0x510E527F;
    public const uint Iv5 = 0x9B05688C;
    public const uint Iv6 = 0x1F83D9AB;
    public const uint Iv7 = 0x5BE0CD19;

    // The domain flags (paper, table 3).
    public const uint ChunkStart = 1;
    public const uint ChunkEnd = 2;
    public const uint Parent = 4;
    public const uint Root = 8;
    public const uint KeyedHash = 16;
    public const uint DeriveKeyContext = 32;
    public const uint DeriveKeyMaterial = 64;

    /// <summary>The key of the plain hash mode: the initial values themselves.</summary>
    public static ReadOnlySpan<uint> Iv => [Iv0, Iv1, Iv2, Iv3, Iv4, Iv5, Iv6, Iv7];
}
