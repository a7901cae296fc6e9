using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Engine.Replication;

/// <summary>Refuses images whose blocks would take more memory than a session may have (safety rule 11).</summary>
/// <remarks>
/// What a block can cost at worst, where no stretch of the image is uniform, is a bit in each of two bitmaps and an
/// eighth of a byte of map nodes: 3/8 of a byte, so <see cref="WireLimits.MaxSessionBlocks"/> bounds a session to some
/// 800 MiB, and only a peer that really sends such content gets there. Uniform stretches cost next to nothing.
/// </remarks>
public static class BlockBudget
{
    /// <summary>Checks one more image.</summary>
    /// <param name="who">How the message calls the image: side and name.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <param name="open">The blocks of the images that the session has open already.</param>
    /// <exception cref="DiskSyncException">They are too many; a larger granularity that would do is named (kind Preflight).</exception>
    public static void Check(string who, BlockGeometry geometry, long open)
    {
        long room = Math.Min(WireLimits.MaxImageBlocks, WireLimits.MaxSessionBlocks - open);
        if (geometry.BlockCount <= room)
        {
            return;
        }

        long granularity = geometry.Granularity;
        while (granularity < BlockGeometry.MaxGranularity && (geometry.Length + granularity - 1) / granularity > room)
        {
            granularity *= 2;
        }

        throw new DiskSyncException(
            FailureKind.Preflight,
            $"{who}: {geometry.Length} bytes in blocks of {ByteSize.Format(geometry.Granularity)} are {geometry.BlockCount} blocks; an image may have {WireLimits.MaxImageBlocks}, the images of a session together {WireLimits.MaxSessionBlocks}{(open > 0 ? $" ({open} are taken)" : string.Empty)}",
            $"Use a larger granularity, --granularity {(granularity < 1 << 20 ? $"{granularity >> 10}K" : $"{granularity >> 20}M")} or more.");
    }
}
