using System.Buffers.Binary;

namespace DiskSync.Codecs;

/// <summary>Decompresses zstd frames whose length is known, with one context that is kept from call to call.</summary>
/// <remarks>
/// Not thread safe: one for each worker. The context has a fixed size, some 160 KiB: frames are decoded straight into
/// the caller's memory, so that a window that a frame declares costs nothing. Create it only where
/// <see cref="Zstd.IsAvailable"/>.
/// </remarks>
public sealed class ZstdDecompressor : IDisposable
{
    // RFC 8878, section 3.1.1. Checked here because the library also reads skippable frames and, built so, formats
    // of before version 0.8, whose decoders nobody looks at any more.
    private const uint Magic = 0xFD2FB528;

    // For the case that a version of the library should need a window in this way of use after all: 8 MiB.
    private const int WindowLogMax = 23;

    private readonly ZstdContext _context = new(compression: false);

    /// <summary>Creates the context.</summary>
    public ZstdDecompressor() =>
        ZstdNative.Check(ZstdNative.SetDecompression(_context, ZstdNative.WindowLogMaxParameter, WindowLogMax));

    /// <summary>Decompresses exactly one frame.</summary>
    /// <param name="source">A frame, which may come from anyone: nothing about it is trusted.</param>
    /// <param name="destination">Room for exactly the original bytes; its content is undefined after a failure.</param>
    /// <returns>
    /// True only where the source is one frame and nothing else, names the length of <paramref name="destination"/>,
    /// and filled it. That does not prove that these are the original bytes.
    /// </returns>
    public unsafe bool TryDecompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.Length < sizeof(uint) || destination.IsEmpty || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
        {
            return false;
        }

        fixed (byte* from = source)
        fixed (byte* to = destination)
        {
            nuint length = (nuint)source.Length;
            return ZstdNative.FrameContentSize(from, length) == (ulong)destination.Length
                && ZstdNative.FrameCompressedSize(from, length) == length
                && ZstdNative.Decompress(_context, to, (nuint)destination.Length, from, length) == (nuint)destination.Length;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();
}
