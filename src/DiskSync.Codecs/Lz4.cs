using K4os.Compression.LZ4;

namespace DiskSync.Codecs;

/// <summary>LZ4 in its block format (no frame, no checksum), fast level.</summary>
/// <remarks>
/// The only place that knows which LZ4 library is used. Nothing is kept between calls; safe from several threads.
/// Compressed blocks carry no length and no check of their own: the format around them does.
/// </remarks>
public static class Lz4
{
    /// <summary>The room that is enough for any input of this length, in bytes.</summary>
    /// <param name="length">Input bytes, 0 or more.</param>
    public static int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return LZ4Codec.MaximumOutputSize(length);
    }

    /// <summary>Compresses a block.</summary>
    /// <param name="source">The bytes to compress.</param>
    /// <param name="destination">
    /// Where the result goes. Shorter than <see cref="MaxCompressedLength"/> is fine: give what still pays, and 0
    /// comes back where the data does not compress that far.
    /// </param>
    /// <returns>Bytes written; 0 where the result does not fit or the source is empty.</returns>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination) =>
        source.IsEmpty || destination.IsEmpty ? 0 : Math.Max(LZ4Codec.Encode(source, destination), 0);

    /// <summary>Decompresses a block whose length is known.</summary>
    /// <param name="source">A compressed block, which may come from anyone: nothing about it is trusted.</param>
    /// <param name="destination">Room for exactly the original bytes; its content is undefined after a failure.</param>
    /// <returns>
    /// True only where <paramref name="destination"/> was filled exactly. That does not prove that these are the
    /// original bytes: LZ4 carries no check, and some damaged blocks decode to the right length. The result depends
    /// on <paramref name="source"/> alone.
    /// </returns>
    public static bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty || destination.IsEmpty)
        {
            return false;
        }

        // The decoder, like the reference one, lets a match with distance 0 pass, which copies what is there already:
        // bytes of another block, where the buffer is a rented one. Clearing it takes a few percent of the time.
        destination.Clear();
        return LZ4Codec.Decode(source, destination) == destination.Length;
    }
}
