using System.Numerics;
using DiskSync.Formats;

namespace DiskSync.Engine.Dirty;

/// <summary>A long row of bits in chunks, of which the uniform ones cost nothing.</summary>
/// <remarks>
/// A chunk covers 32,768 bits (4 KiB). One that is all clear or all set is a reference to a shared marker, so a fresh
/// bitmap of a 1 TiB image at 4 KiB granularity takes 100 KiB, and 32 MiB where every chunk is mixed. Not thread safe;
/// <see cref="DirtyBitmap"/> locks around it.
/// </remarks>
internal sealed class BitChunks
{
    private const int ChunkBits = 1 << 15;

    // A chunk is null (all clear), this very array (all set) or an array of its own.
    private static readonly ulong[] AllSet = [];

    private readonly ulong[]?[] _chunks;
    private readonly int[] _counts;
    private readonly long _length;

    internal BitChunks(long length)
    {
        _length = length;
        long chunks = (length + ChunkBits - 1) / ChunkBits;
        _chunks = new ulong[chunks][];
        _counts = new int[chunks];
    }

    /// <summary>How many bits are set.</summary>
    internal long Count { get; private set; }

    internal bool this[long index] => _chunks[index / ChunkBits] is { } chunk
        && (ReferenceEquals(chunk, AllSet) || (chunk[index % ChunkBits >> 6] >> (int)(index & 63) & 1) != 0);

    /// <summary>Sets or clears a range; the range must lie inside the row.</summary>
    internal void Fill(long first, long count, bool value)
    {
        while (count > 0)
        {
            long chunk = first / ChunkBits;
            int start = (int)(first % ChunkBits);
            int take = (int)Math.Min(count, ChunkLength(chunk) - start);
            FillInChunk(chunk, start, take, value);
            first += take;
            count -= take;
        }
    }

    /// <summary>The first set bit at or after an index, or the limit where there is none before it.</summary>
    internal long NextSet(long from, long limit) => Next(from, limit, wanted: true);

    /// <summary>The first clear bit at or after an index, or the limit where there is none before it.</summary>
    internal long NextClear(long from, long limit) => Next(from, limit, wanted: false);

    private int ChunkLength(long chunk) => (int)Math.Min(ChunkBits, _length - (chunk * ChunkBits));

    private void FillInChunk(long index, int start, int count, bool value)
    {
        int length = ChunkLength(index);
        int before = _counts[index];
        if (before == (value ? length : 0))
        {
            return;
        }

        if (count == length)
        {
            SetUniform(index, value);
            return;
        }

        ulong[] words = Own(index, length);
        int changed = 0;
        int end = start + count;
        for (int bit = start; bit < end; bit = BitWords.NextWord(bit))
        {
            ulong mask = BitWords.MaskOf(bit, end);
            ref ulong word = ref words[bit >> 6];
            changed += BitOperations.PopCount(value ? ~word & mask : word & mask);
            word = value ? word | mask : word & ~mask;
        }

        int after = value ? before + changed : before - changed;
        if (after == (value ? length : 0))
        {
            SetUniform(index, value);
            return;
        }

        Count += after - before;
        _counts[index] = after;
    }

    private void SetUniform(long index, bool value)
    {
        int after = value ? ChunkLength(index) : 0;
        Count += after - _counts[index];
        _counts[index] = after;
        _chunks[index] = value ? AllSet : null;
    }

    private ulong[] Own(long index, int length)
    {
        ulong[]? chunk = _chunks[index];
        if (chunk is not null && !ReferenceEquals(chunk, AllSet))
        {
            return chunk;
        }

        // Bits past the end of a short last chunk stay set here; no search looks at them.
        ulong[] words = new ulong[(length + 63) / 64];
        if (chunk is not null)
        {
            Array.Fill(words, ulong.MaxValue);
        }

        return _chunks[index] = words;
    }

    private long Next(long from, long limit, bool wanted)
    {
        while (from < limit)
        {
            ulong[]? chunk = _chunks[from / ChunkBits];
            if (chunk is null || ReferenceEquals(chunk, AllSet))
            {
                if (chunk is null != wanted)
                {
                    return from;
                }

                from = (from / ChunkBits * ChunkBits) + ChunkBits;
                continue;
            }

            long start = from / ChunkBits * ChunkBits;
            int end = (int)Math.Min(chunk.Length * 64, limit - start);
            int found = BitWords.Next(chunk, (int)(from - start), end, wanted);
            if (found < end)
            {
                return start + found;
            }

            from = start + ChunkBits;
        }

        return limit;
    }
}
