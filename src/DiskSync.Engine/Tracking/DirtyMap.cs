using System.Numerics;
using DiskSync.Engine.Dirty;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Tracking;

/// <summary>Which 4 KiB parts of an image were written since somebody last asked; marked by many threads without a lock.</summary>
/// <remarks>
/// <para>
/// Writers mark <em>after</em> their write has been done and <em>before</em> its answer; whoever takes clears the bits
/// and only then reads the image (safety rule 3). A bit that is set already is left alone: then a taker either
/// clears it later, and reads what was written, or had cleared it before it was looked at, and it is set anew.
/// </para>
/// <para>
/// Memory: 4 KiB for each 128 MiB that was ever written in, and 12 bytes for each that was not; taking costs a step for each
/// 128 MiB and a pass over those that were touched since. Takers may come from several threads, one at a time for each bit.
/// </para>
/// </remarks>
public sealed class DirtyMap
{
    /// <summary>What one bit stands for, in bytes.</summary>
    public const int Precision = 4096;

    /// <summary>The words of a chunk: what an export tells a migration at once.</summary>
    public const int ChunkWords = DirtyBits.WordCount;

    /// <summary>The bits of a chunk.</summary>
    public const int ChunkBits = ChunkWords * 64;

    /// <summary>What one chunk covers, in bytes.</summary>
    public const long ChunkBytes = (long)ChunkBits * Precision;

    private readonly ulong[]?[] _chunks;

    // 1 where a bit may have been set since the chunk was last taken. Set after the bit, looked at by every writer, also
    // by one that found its bit set: it may have been faster than the one that set it.
    private readonly int[] _touched;

    /// <summary>Makes a map in which nothing is dirty.</summary>
    /// <param name="length">The image's length in bytes.</param>
    public DirtyMap(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        int chunks = checked((int)((length + ChunkBytes - 1) / ChunkBytes));
        _chunks = new ulong[chunks][];
        _touched = new int[chunks];
    }

    /// <summary>The image's length in bytes.</summary>
    public long Length { get; }

    /// <summary>Dirty bytes, counted in whole parts; a snapshot that writers overtake.</summary>
    public long DirtyBytes
    {
        get
        {
            long bits = 0;
            foreach (ulong[]? chunk in _chunks)
            {
                foreach (ulong word in chunk ?? [])
                {
                    bits += BitOperations.PopCount(word);
                }
            }

            return bits * Precision;
        }
    }

    /// <summary>Marks a range that was written, or may have been.</summary>
    /// <param name="offset">Its first byte.</param>
    /// <param name="length">Its length in bytes; the range lies within the image.</param>
    public void Mark(long offset, long length)
    {
        if (length <= 0)
        {
            return;
        }

        if (offset < 0 || offset > Length - length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{offset} + {length} leave an image of {Length} bytes");
        }

        long bit = offset / Precision;
        long end = ((offset + length - 1) / Precision) + 1;
        while (bit < end)
        {
            long chunk = bit / ChunkBits;
            int first = (int)(bit % ChunkBits);
            int count = (int)Math.Min(end - bit, ChunkBits - first);
            MarkInChunk((int)chunk, first, count);
            bit += count;
        }
    }

    /// <summary>Marks everything: for when nobody knows what was written.</summary>
    public void MarkAll() => Mark(0, Length);

    /// <summary>Takes what is dirty and clears it; what is written from now on is dirty again.</summary>
    /// <returns>The dirty chunks, in order; lazily, so go through it once and to its end, or <see cref="Add"/> back what was not used.</returns>
    public IEnumerable<DirtyChunk> Take()
    {
        for (int i = 0; i < _chunks.Length; i++)
        {
            if (Volatile.Read(ref _touched[i]) == 0 || Interlocked.Exchange(ref _touched[i], 0) == 0)
            {
                continue;
            }

            ulong[] chunk = _chunks[i]!;
            ulong[] words = new ulong[ChunkWords];
            ulong any = 0;
            for (int w = 0; w < words.Length; w++)
            {
                if (Volatile.Read(ref chunk[w]) != 0)
                {
                    any |= words[w] = Interlocked.Exchange(ref chunk[w], 0);
                }
            }

            if (any != 0)
            {
                yield return new DirtyChunk(i, words);
            }
        }
    }

    /// <summary>What is dirty, without clearing it.</summary>
    public IEnumerable<DirtyChunk> Peek()
    {
        for (int i = 0; i < _chunks.Length; i++)
        {
            if (_chunks[i] is { } chunk && chunk.AsSpan().ContainsAnyExcept(0UL))
            {
                yield return new DirtyChunk(i, [.. chunk]);
            }
        }
    }

    /// <summary>Marks what was taken from a map of the same length.</summary>
    /// <exception cref="ArgumentException">The chunk is not of such a map.</exception>
    public void Add(DirtyChunk chunk)
    {
        CheckChunk(chunk);
        for (int w = 0; w < ChunkWords; w++)
        {
            if (chunk.Words[w] != 0)
            {
                Interlocked.Or(ref ChunkAt(chunk.Index)[w], chunk.Words[w]);
            }
        }

        Volatile.Write(ref _touched[chunk.Index], 1);
    }

    /// <summary>Marks the blocks of a bitmap that a chunk touches.</summary>
    /// <param name="chunk">A chunk of an image of the geometry's length.</param>
    /// <param name="bitmap">The bitmap.</param>
    /// <param name="geometry">How the image is cut into the bitmap's blocks.</param>
    /// <returns>How many parts of <see cref="Precision"/> bytes the chunk has dirty.</returns>
    public static long MarkInto(DirtyChunk chunk, DirtyBitmap bitmap, BlockGeometry geometry)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        long bits = 0;
        long start = chunk.Index * ChunkBytes;
        foreach ((int first, int count) in BitWords.Runs(chunk.Words))
        {
            bits += count;
            long offset = start + ((long)first * Precision);
            if (offset + ((long)(count - 1) * Precision) >= geometry.Length)
            {
                throw new ArgumentException($"a dirty part past the end of an image of {geometry.Length} bytes", nameof(chunk));
            }

            long end = Math.Min(offset + ((long)count * Precision), geometry.Length);
            long block = offset / geometry.Granularity;
            bitmap.Mark(block, ((end - 1) / geometry.Granularity) + 1 - block);
        }

        return bits;
    }

    /// <summary>What a range is like, part by part; a snapshot that writers overtake.</summary>
    /// <param name="offset">Where it begins; counted from the part that holds it.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <returns>Extents without gaps from the offset, the last of which may pass the range's end but not the image's.</returns>
    public IEnumerable<DirtyExtent> Extents(long offset, long length)
    {
        long end = Math.Min(offset + length, Length);
        long at = offset;
        while (at < end)
        {
            bool isDirty = IsDirty(at / Precision);
            long next = at;
            while (next < end && IsDirty(next / Precision) == isDirty)
            {
                // A chunk that nobody wrote in is one step.
                next = _chunks[next / ChunkBytes] is null
                    ? ((next / ChunkBytes) + 1) * ChunkBytes
                    : ((next / Precision) + 1) * Precision;
            }

            next = Math.Min(next, Length);
            yield return new DirtyExtent(next - at, isDirty);
            at = next;
        }
    }

    private bool IsDirty(long bit) =>
        _chunks[bit / ChunkBits] is { } chunk && (Volatile.Read(ref chunk[bit % ChunkBits >> 6]) >> (int)(bit & 63) & 1) != 0;

    private void MarkInChunk(int index, int first, int count)
    {
        ulong[] chunk = ChunkAt(index);
        int end = first + count;
        for (int bit = first; bit < end; bit = BitWords.NextWord(bit))
        {
            ulong mask = BitWords.MaskOf(bit, end);
            ref ulong word = ref chunk[bit >> 6];
            if ((Volatile.Read(ref word) & mask) != mask)
            {
                Interlocked.Or(ref word, mask);
            }
        }

        if (Volatile.Read(ref _touched[index]) == 0)
        {
            Volatile.Write(ref _touched[index], 1);
        }
    }

    private ulong[] ChunkAt(int index) =>
        Volatile.Read(ref _chunks[index])
        ?? Interlocked.CompareExchange(ref _chunks[index], new ulong[ChunkWords], null)
        ?? _chunks[index]!;

    private void CheckChunk(DirtyChunk chunk)
    {
        if (chunk.Index < 0 || chunk.Index >= _chunks.Length || chunk.Words.Length != ChunkWords)
        {
            throw new ArgumentException($"chunk {chunk.Index} with {chunk.Words.Length} words is not one of an image of {Length} bytes", nameof(chunk));
        }
    }
}
