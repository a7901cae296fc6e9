using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.SavedMaps;

/// <summary>Reads some blocks of an image from its medium and compares them with what they should be.</summary>
internal static class BlockAudit
{
    /// <summary>Compares blocks.</summary>
    /// <param name="image">The image.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <param name="blocks">The blocks, each with the hash that it should have.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>The first block that has another content, or null.</returns>
    /// <exception cref="ImageIOException">A block cannot be read.</exception>
    public static long? FirstDifference(
        IBlockDevice image, BlockGeometry geometry, IReadOnlyList<SampleBlock> blocks, CancellationToken cancellationToken)
    {
        image.BeginPass();
        foreach (SampleBlock sample in blocks)
        {
            image.DropCache(geometry.OffsetOf((long)sample.Block), geometry.LengthOf((long)sample.Block));
        }

        // Asked for together, so that a disk with a long way to each of them may choose the order.
        foreach (SampleBlock sample in blocks)
        {
            image.ReadAhead(geometry.OffsetOf((long)sample.Block), geometry.LengthOf((long)sample.Block));
        }

        foreach (long block in Differences(image, geometry, blocks, cancellationToken))
        {
            return block;
        }

        return null;
    }

    /// <summary>Compares blocks as they read now, from the cache where they are in it, each as the enumeration gets to it.</summary>
    /// <param name="image">The image.</param>
    /// <param name="geometry">How it is cut into blocks.</param>
    /// <param name="blocks">The blocks, each with the hash that it should have.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <returns>Those that have another content, in order.</returns>
    /// <exception cref="ImageIOException">A block cannot be read.</exception>
    public static IEnumerable<long> Differences(
        IBlockDevice image, BlockGeometry geometry, IEnumerable<SampleBlock> blocks, CancellationToken cancellationToken)
    {
        using AlignedBuffer buffer = new(geometry.Granularity);
        foreach (SampleBlock sample in blocks)
        {
            long block = (long)sample.Block;
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> content = buffer.Span[..geometry.LengthOf(block)];
            image.Read(geometry.OffsetOf(block), content);
            if (Blake3.Hash(content) != sample.Hash)
            {
                yield return block;
            }
        }
    }
}
