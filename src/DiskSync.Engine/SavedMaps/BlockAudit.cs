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

        using AlignedBuffer buffer = new(geometry.Granularity);
        foreach (SampleBlock sample in blocks)
        {
            long block = (long)sample.Block;
            cancellationToken.ThrowIfCancellationRequested();
            Span<byte> content = buffer.Span[..geometry.LengthOf(block)];
            image.Read(geometry.OffsetOf(block), content);
            if (Blake3.Hash(content) != sample.Hash)
            {
                return block;
            }
        }

        return null;
    }
}
