namespace DiskSync.Engine.Replication;

/// <summary>Tells from a sample whether data can be compressed at all.</summary>
public static class NoiseCheck
{
    private const int Pieces = 16;
    private const int PieceBytes = 512;

    // Bits for each byte. A sample of 8 KiB of random bytes shows about 7.98 (the missing 255/(2 n ln 2) is chance) and
    // hardly ever below 7.96; gzip and xz 7.96 to 7.98, executables 5 to 6.5. Of 384 batches of a machine's own files
    // 24 were called noise; zstd would have taken 3% off them.
    private const double NoiseBits = 7.95;

    /// <summary>Whether the bytes look like noise: already compressed, or encrypted.</summary>
    /// <param name="data">Any length; what is shorter than a sample is never called noise.</param>
    /// <remarks>
    /// Only the frequencies of the bytes are looked at, evenly over the data, a few microseconds of work. Noise that
    /// repeats itself further on is missed: that is what copies of known blocks are for.
    /// </remarks>
    public static bool IsNoise(ReadOnlySpan<byte> data)
    {
        if (data.Length < Pieces * PieceBytes)
        {
            return false;
        }

        Span<int> counts = stackalloc int[256];
        counts.Clear();
        int step = (data.Length - PieceBytes) / (Pieces - 1);
        for (int i = 0; i < Pieces; i++)
        {
            foreach (byte value in data.Slice(i * step, PieceBytes))
            {
                counts[value]++;
            }
        }

        double bits = 0;
        foreach (int count in counts)
        {
            if (count > 0)
            {
                double share = (double)count / (Pieces * PieceBytes);
                bits -= share * Math.Log2(share);
            }
        }

        return bits > NoiseBits;
    }
}
