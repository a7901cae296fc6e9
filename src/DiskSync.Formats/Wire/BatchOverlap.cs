using System.Buffers;
using System.Buffers.Binary;

namespace DiskSync.Formats.Wire;

/// <summary>Finds a block that appears twice in a batch whose entries are not ascending.</summary>
/// <remarks>Apart from <see cref="BlocksReader"/> because the usual, ascending batch needs no sorting.</remarks>
internal static class BatchOverlap
{
    /// <summary>Throws where two entries share a block.</summary>
    /// <param name="body">A body whose table has been checked otherwise.</param>
    /// <param name="entries">Its entry count.</param>
    public static void Refuse(ReadOnlySpan<byte> body, int entries)
    {
        (long First, long End)[] ranges = ArrayPool<(long First, long End)>.Shared.Rent(entries);
        try
        {
            for (int i = 0; i < entries; i++)
            {
                ReadOnlySpan<byte> entry = body[(int)BlocksLayout.TableEnd((uint)i)..];
                long first = BinaryPrimitives.ReadInt64LittleEndian(entry[BlocksLayout.EntryBlockAt..]);
                ranges[i] = (first, first + BinaryPrimitives.ReadUInt32LittleEndian(entry[BlocksLayout.EntryCountAt..]));
            }

            ranges.AsSpan(0, entries).Sort();
            for (int i = 1; i < entries; i++)
            {
                if (ranges[i].First < ranges[i - 1].End)
                {
                    throw new FormatViolationException(
                        "wire Blocks", BlocksLayout.PrefixSize, $"block {ranges[i].First} twice", "each block once");
                }
            }
        }
        finally
        {
            ArrayPool<(long First, long End)>.Shared.Return(ranges);
        }
    }
}
