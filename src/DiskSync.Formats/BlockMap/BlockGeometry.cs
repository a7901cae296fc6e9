namespace DiskSync.Formats.BlockMap;

/// <summary>How an image of a given length is cut into blocks of a given granularity.</summary>
/// <remarks>
/// Lengths and offsets are bytes, block numbers count from 0. Only the last block may be shorter than the
/// granularity. Immutable and thread safe. Everything a peer or a file supplies is checked by
/// <see cref="TryCreate"/> before a geometry exists, so code that holds one need not check again.
/// </remarks>
public readonly record struct BlockGeometry
{
    /// <summary>The smallest granularity: 4 KiB, also the size of a sub-block.</summary>
    public const int MinGranularity = 4 << 10;

    /// <summary>The largest granularity: 4 MiB.</summary>
    public const int MaxGranularity = 4 << 20;

    /// <summary>The granularity used where nobody asks for another: 64 KiB.</summary>
    public const int DefaultGranularity = 64 << 10;

    /// <summary>The unit in which blocks are patched: 4 KiB.</summary>
    public const int SubBlockSize = 4 << 10;

    /// <summary>The longest image: 2^52 bytes (4 PiB), so that no sum of offsets overflows.</summary>
    public const long MaxLength = 1L << 52;

    /// <summary>Cuts an image into blocks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length or the granularity is outside its limits.</exception>
    public BlockGeometry(long length, int granularity)
    {
        if (!IsValid(length, granularity))
        {
            throw new ArgumentOutOfRangeException(
                nameof(granularity), $"length {length}, granularity {granularity}: outside the limits");
        }

        Length = length;
        Granularity = granularity;
        BlockCount = (length + granularity - 1) / granularity;
    }

    /// <summary>The image's length in bytes.</summary>
    public long Length { get; }

    /// <summary>The block size in bytes, a power of two.</summary>
    public int Granularity { get; }

    /// <summary>The number of blocks; the last one may be short.</summary>
    public long BlockCount { get; }

    /// <summary>The number of 4 KiB sub-blocks of a whole block.</summary>
    public int SubBlocks => Granularity / SubBlockSize;

    /// <summary>Whether a granularity is a power of two from 4 KiB to 4 MiB.</summary>
    public static bool IsValidGranularity(long granularity) =>
        granularity is >= MinGranularity and <= MaxGranularity && (granularity & (granularity - 1)) == 0;

    /// <summary>Cuts an image into blocks where the numbers are within the limits.</summary>
    /// <returns>False where they are not; nothing is thrown, so this is the check for what a peer supplies.</returns>
    public static bool TryCreate(long length, long granularity, out BlockGeometry geometry)
    {
        bool valid = IsValid(length, granularity);
        geometry = valid ? new BlockGeometry(length, (int)granularity) : default;
        return valid;
    }

    /// <summary>The byte offset at which a block starts.</summary>
    public long OffsetOf(long block) => block * Granularity;

    /// <summary>A block's length in bytes: the granularity, or what is left for the last block.</summary>
    public int LengthOf(long block) => (int)Math.Min(Granularity, Length - (block * Granularity));

    /// <summary>Whether a run of blocks lies inside the image; safe for any numbers a peer sends.</summary>
    public bool Contains(long firstBlock, long count) =>
        firstBlock >= 0 && count >= 0 && firstBlock <= BlockCount && count <= BlockCount - firstBlock;

    private static bool IsValid(long length, long granularity) =>
        IsValidGranularity(granularity) && length is >= 0 and <= MaxLength;
}
