using System.Numerics;
using DiskSync.Formats;

namespace DiskSync.Engine.Tail;

/// <summary>Which parts of an image are there; set by many threads without a lock, and never cleared.</summary>
/// <remarks>Memory: 4 KiB for each 128 MiB of the image of which something is there and something is not, 8 bytes for each other.</remarks>
internal sealed class PresenceBits
{
    /// <summary>The parts of a chunk.</summary>
    public const int ChunkParts = 1 << 15;

    private const int ChunkWords = ChunkParts / 64;
    private static readonly ulong[] Full = MakeFull();
    private readonly ulong[]?[] _chunks;
    private readonly int[] _left;
    private long _missing;

    /// <summary>Makes a map in which nothing is there.</summary>
    /// <param name="partCount">How many parts the image has.</param>
    public PresenceBits(long partCount)
    {
        PartCount = partCount;
        int chunks = checked((int)((partCount + ChunkParts - 1) / ChunkParts));
        _chunks = new ulong[chunks][];
        _left = new int[chunks];
        for (int i = 0; i < chunks; i++)
        {
            _left[i] = (int)Math.Min(ChunkParts, partCount - ((long)i * ChunkParts));
        }

        _missing = partCount;
    }

    /// <summary>How many parts the image has.</summary>
    public long PartCount { get; }

    /// <summary>How many are not there.</summary>
    public long Missing => Volatile.Read(ref _missing);

    /// <summary>Whether all of a range is there.</summary>
    public bool All(long first, long count) => Next(first, first + count, present: false) == first + count;

    /// <summary>The first part of a range that is, or is not, there; the range's end where none is so.</summary>
    public long Next(long from, long end, bool present)
    {
        while (from < end)
        {
            int index = (int)(from / ChunkParts);
            long start = (long)index * ChunkParts;
            long stop = Math.Min(end, start + ChunkParts);
            ulong[]? chunk = Volatile.Read(ref _chunks[index]);
            if (chunk is null || ReferenceEquals(chunk, Full))
            {
                if (chunk is null != present)
                {
                    return from;
                }
            }
            else
            {
                for (int bit = (int)(from - start); bit < stop - start; bit = BitWords.NextWord(bit))
                {
                    ulong word = Volatile.Read(ref chunk[bit >> 6]);
                    word = (present ? word : ~word) >> (bit & 63);
                    if (word != 0)
                    {
                        return Math.Min(end, start + bit + BitOperations.TrailingZeroCount(word));
                    }
                }
            }

            from = stop;
        }

        return end;
    }

    /// <summary>Notes that a range is there.</summary>
    /// <returns>How many of its parts were not before.</returns>
    public long Set(long first, long count)
    {
        long news = 0;
        for (long part = first; part < first + count;)
        {
            int index = (int)(part / ChunkParts);
            int bit = (int)(part % ChunkParts);
            int end = (int)Math.Min(ChunkParts, bit + (first + count - part));
            part += end - bit;
            news += SetInChunk(index, bit, end);
        }

        Interlocked.Add(ref _missing, -news);
        return news;
    }

    /// <summary>The bits of a chunk, lowest first; null where all, or none, of it is there.</summary>
    public ulong[]? MixedChunk(int index)
    {
        ulong[]? chunk = Volatile.Read(ref _chunks[index]);
        return ReferenceEquals(chunk, Full) ? null : chunk;
    }

    private int SetInChunk(int index, int bit, int end)
    {
        ulong[]? chunk = Volatile.Read(ref _chunks[index]);
        if (ReferenceEquals(chunk, Full))
        {
            return 0;
        }

        chunk ??= Interlocked.CompareExchange(ref _chunks[index], new ulong[ChunkWords], null) ?? _chunks[index]!;
        if (ReferenceEquals(chunk, Full))
        {
            return 0;
        }

        int news = 0;
        for (; bit < end; bit = BitWords.NextWord(bit))
        {
            ulong mask = BitWords.MaskOf(bit, end);
            ulong before = Interlocked.Or(ref chunk[bit >> 6], mask);
            news += BitOperations.PopCount(mask & ~before);
        }

        // Whoever sets the last bit may put the common chunk here: those who hold the old one find all its bits set.
        if (news > 0 && Interlocked.Add(ref _left[index], -news) == 0)
        {
            Volatile.Write(ref _chunks[index], Full);
        }

        return news;
    }

    private static ulong[] MakeFull()
    {
        ulong[] words = new ulong[ChunkWords];
        Array.Fill(words, ulong.MaxValue);
        return words;
    }
}
