using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static DiskSync.Codecs.Blake3Constants;

namespace DiskSync.Codecs;

/// <summary>Chooses the kernel for a piece of work, and proves the bounds that the kernels rely on.</summary>
internal static class Blake3Kernels
{
    /// <summary>The widest kernel this processor runs well: 16, 8, 4 lanes, or 1 for plain arithmetic.</summary>
    public static readonly int WidestLanes =
        Vector512.IsHardwareAccelerated && Avx512F.VL.IsSupported ? 16
        : Vector256.IsHardwareAccelerated && Avx2.IsSupported ? 8
        : Vector128.IsHardwareAccelerated ? 4
        : 1;

    // Compiling the kernels that a mix of sizes takes costs 50 ms: a quarter of a command that hashes a few blocks and
    // is done, and as long as hashing this much by plain arithmetic takes at the very least.
    private const int PlainBytes = 8 << 20;

    private static int _plainBytes;

    /// <summary>The widest kernel for a piece of work: plain arithmetic, which is compiled at once, until the process has hashed a few MiB.</summary>
    /// <param name="bytes">How much is to be hashed.</param>
    public static int LanesFor(int bytes)
    {
        if (_plainBytes >= PlainBytes || bytes >= PlainBytes)
        {
            return WidestLanes;
        }

        // Several threads may lose some of their sum: then it takes a little longer, which nobody notices.
        _plainBytes += bytes;
        return 1;
    }

    /// <summary>As <see cref="Blake3Portable.Compress"/>.</summary>
    public static void Compress(
        ReadOnlySpan<uint> cv,
        ReadOnlySpan<byte> block,
        uint length,
        ulong counter,
        uint flags,
        Span<uint> output,
        int lanes)
    {
        if (lanes == 16)
        {
            Blake3Rows.Compress(cv, block, length, counter, flags, output);
        }
        else
        {
            Blake3Portable.Compress(cv, block, length, counter, flags, output);
        }
    }

    /// <summary>The chaining values of whole chunks that follow each other (paper, section 2.4).</summary>
    /// <param name="data">A multiple of 1024 bytes.</param>
    /// <param name="key">8 words.</param>
    /// <param name="counter">The first chunk's number.</param>
    /// <param name="counterMask">
    /// Applied to every chunk's number: all ones, or the chunks of a block (a power of two) less one, where
    /// <paramref name="data"/> is several blocks and <paramref name="counter"/> is 0.
    /// </param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="cvs">8 words a chunk.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    public static void HashChunks(
        ReadOnlySpan<byte> data,
        ReadOnlySpan<uint> key,
        ulong counter,
        ulong counterMask,
        uint flags,
        Span<uint> cvs,
        int lanes)
    {
        while (data.Length >= ChunkLength)
        {
            int take = Fit(data.Length / ChunkLength, lanes);
            if (take == 1)
            {
                Blake3Node.Chunk(data[..ChunkLength], key, counter, flags, lanes).ChainingValue(cvs, lanes);
            }
            else
            {
                ReadOnlySpan<byte> input = data[..(take * ChunkLength)];
                uint mask = (uint)counterMask;
                HashLanes(take, input, ChunkLength, key, counter, mask, flags, ChunkStart, ChunkEnd, cvs);
            }

            counter = (counter + (uint)take) & counterMask;
            data = data[(take * ChunkLength)..];
            cvs = cvs[(take * CvWords)..];
        }
    }

    /// <summary>Replaces pairs of chaining values by their parents' values, in place (paper, section 2.5).</summary>
    /// <param name="cvs">16 words a pair; on return the first 8 words a pair hold the result.</param>
    /// <param name="count">Pairs.</param>
    /// <param name="key">8 words.</param>
    /// <param name="flags">The mode's flag.</param>
    /// <param name="lanes">Widest kernel allowed.</param>
    public static void HashParents(Span<uint> cvs, int count, ReadOnlySpan<uint> key, uint flags, int lanes)
    {
        // Reading runs twice as fast as writing, so nothing is overwritten that is still to be read: not the pairs
        // to come, nor a single value after the last pair, which the caller moves down later.
        flags |= Parent;
        Span<uint> output = cvs;
        while (count > 0)
        {
            // A few pairs go through the next wider kernel, with whatever follows them in the buffer: four pairs take
            // no longer there than one does alone. Where the buffer ends, they go through one by one.
            int take = FitUp(count, lanes);
            ReadOnlySpan<byte> input = MemoryMarshal.AsBytes(cvs);
            if (take == 1 || input.Length < take * BlockLength)
            {
                take = 1;
                Compress(key, input[..BlockLength], BlockLength, 0, flags, output, lanes);
            }
            else
            {
                HashLanes(take, input[..(take * BlockLength)], BlockLength, key, 0, 0, flags, 0, 0, output);
                take = Math.Min(take, count);
            }

            count -= take;
            cvs = cvs[(take * 2 * CvWords)..];
            output = output[(take * CvWords)..];
        }
    }

    // At most twice as many lanes as pairs, or the output would reach the single value after the last pair. 8 pairs
    // take the 16-lane kernel although the 8-lane one would gain 60 ns: compiling that takes 10 ms, which are 70 MB of
    // hashing, and a bulk run needs it for nothing else.
    private static int FitUp(int count, int lanes) =>
        count >= 8 && lanes >= 16 ? 16 : count > 4 && lanes >= 8 ? 8 : count > 1 && lanes >= 4 ? 4 : 1;

    private static int Fit(int count, int lanes) =>
        count >= 16 && lanes >= 16 ? 16 : count >= 8 && lanes >= 8 ? 8 : count >= 4 && lanes >= 4 ? 4 : 1;

    // The one place where the kernels are called: the input has lanes times stride bytes, all of them are read, and
    // none besides. The output is written through checked spans.
    private static void HashLanes(
        int lanes,
        ReadOnlySpan<byte> input,
        int stride,
        ReadOnlySpan<uint> key,
        ulong counter,
        uint counterMask,
        uint flags,
        uint start,
        uint end,
        Span<uint> output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(input.Length, lanes * stride);
        ref byte first = ref MemoryMarshal.GetReference(input);
        int blocks = stride / BlockLength;
        switch (lanes)
        {
            case 16:
                Blake3Lanes16.Hash(in first, stride, blocks, key, counter, counterMask, flags, start, end, output);
                break;
            case 8:
                Blake3Lanes8.Hash(in first, stride, blocks, key, counter, counterMask, flags, start, end, output);
                break;
            default:
                Blake3Lanes4.Hash(in first, stride, blocks, key, counter, counterMask, flags, start, end, output);
                break;
        }
    }
}
