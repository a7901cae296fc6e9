using System.Collections.Concurrent;
using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>The hashes of blocks of zeros, each computed once.</summary>
/// <remarks>Thread safe. Only powers of two are kept, so that no peer's image lengths fill the memory.</remarks>
public static class ZeroBlock
{
    private static readonly ConcurrentDictionary<int, Hash256> Known = new();

    /// <summary>The hash of a block of zeros.</summary>
    /// <param name="length">Its length in bytes: <see cref="BlockGeometry.LengthOf"/> of the block.</param>
    public static Hash256 HashOf(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, BlockGeometry.MaxGranularity);
        return BlockGeometry.IsValidGranularity(length) ? Known.GetOrAdd(length, Compute) : Compute(length);
    }

    private static Hash256 Compute(int length) => Blake3.Hash(new byte[length]);
}
