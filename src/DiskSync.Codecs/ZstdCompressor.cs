namespace DiskSync.Codecs;

/// <summary>Compresses to zstd frames with one context that is kept from call to call.</summary>
/// <remarks>
/// Not thread safe: one for each worker. A context keeps the memory of the strongest level it has used, for inputs of
/// 1 MiB about 1 MiB at level 3, 4 MiB at level 6 and 17 MiB at level 18. Create it only where
/// <see cref="Zstd.IsAvailable"/>.
/// </remarks>
public sealed class ZstdCompressor : IDisposable
{
    private readonly ZstdContext _context = new(compression: true);
    private int? _level;

    /// <summary>Compresses to one frame, which names the length of its content and carries no check of it.</summary>
    /// <param name="source">The bytes to compress.</param>
    /// <param name="destination">Where the frame goes. Shorter than <see cref="Zstd.MaxCompressedLength"/> is fine: give what still pays. The library may ask for some bytes more than the frame has in the end.</param>
    /// <param name="level">From <see cref="Zstd.MinLevel"/> to <see cref="Zstd.MaxLevel"/>, not 0.</param>
    /// <returns>The frame's length; 0 where it does not fit or the source is empty.</returns>
    /// <exception cref="InvalidOperationException">The library failed, which it does only without memory.</exception>
    public unsafe int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, Zstd.MinLevel);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Zstd.MaxLevel);
        ArgumentOutOfRangeException.ThrowIfZero(level);
        if (source.IsEmpty || destination.IsEmpty)
        {
            return 0;
        }

        if (_level != level)
        {
            ZstdNative.Check(ZstdNative.SetCompression(_context, ZstdNative.LevelParameter, level));
            _level = level;
        }

        fixed (byte* from = source)
        fixed (byte* to = destination)
        {
            nuint result = ZstdNative.Compress(_context, to, (nuint)destination.Length, from, (nuint)source.Length);
            return ZstdNative.ErrorCode(result) == ZstdNative.DestinationTooSmall ? 0 : (int)ZstdNative.Check(result);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();
}
