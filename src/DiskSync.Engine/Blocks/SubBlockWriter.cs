using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Engine.Blocks;

/// <summary>Writes of a block only what a patch changes: a kill leaves the rest whole, and holes stay holes.</summary>
internal static class SubBlockWriter
{
    /// <summary>Writes the marked sub-blocks of a block, neighbours together.</summary>
    /// <param name="device">The image.</param>
    /// <param name="offset">Where the block is in it.</param>
    /// <param name="block">All of the block's new content, aligned as the image asks for.</param>
    /// <param name="bitmap">One bit for each sub-block, lowest bit first (<see cref="PatchPayload.Bitmap"/>).</param>
    /// <exception cref="ImageIOException">Something could not be written.</exception>
    public static void Write(IBlockDevice device, long offset, ReadOnlySpan<byte> block, ReadOnlySpan<byte> bitmap)
    {
        int count = PatchPayload.SubBlocksOf(block.Length);
        for (int i = 0; i < count; i++)
        {
            int first = i;
            while (i < count && PatchPayload.IsMarked(bitmap, i))
            {
                i++;
            }

            if (i > first)
            {
                int start = first * BlockGeometry.SubBlockSize;
                device.Write(offset + start, block[start..Math.Min(i * BlockGeometry.SubBlockSize, block.Length)]);
            }
        }
    }
}
