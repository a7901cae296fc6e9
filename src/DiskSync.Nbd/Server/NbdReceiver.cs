using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>What has arrived on one connection and has not been looked at: as many requests as there are come with one call.</summary>
/// <remarks>Used by the connection's own thread.</remarks>
/// <param name="stream">The connection's; not owned.</param>
internal sealed class NbdReceiver(Stream stream)
{
    /// <summary>The most that can be waited for in one piece.</summary>
    public const int Bytes = 256 << 10;

    private readonly byte[] _bytes = new byte[Bytes];
    private int _start;
    private int _end;
    private bool _expectsLarge;

    /// <summary>Bytes that have arrived.</summary>
    public int Count => _end - _start;

    /// <summary>The first of them.</summary>
    /// <param name="length">At most <see cref="Count"/>.</param>
    public ReadOnlySpan<byte> Peek(int length) => _bytes.AsSpan(_start, length);

    /// <summary>They have been looked at.</summary>
    public void Consume(int length) => _start += length;

    /// <summary>Waits for more.</summary>
    /// <returns>False where the client has gone.</returns>
    public bool Fill()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_start > 0)
        {
            _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
            (_start, _end) = (0, _end - _start);
        }

        // Data of a large write had better go where they will stay; what comes with its head has to be copied there.
        int most = _expectsLarge ? Math.Max(NbdRequest.Size - _end, 1) : Bytes - _end;
        _expectsLarge = false;
        int read = stream.Read(_bytes.AsSpan(_end, most));
        _end += read;
        return read > 0;
    }

    /// <summary>Takes as much as fills a large buffer.</summary>
    /// <exception cref="EndOfStreamException">The client has gone before that.</exception>
    public void ReadInto(Span<byte> buffer)
    {
        int there = Math.Min(buffer.Length, Count);
        Peek(there).CopyTo(buffer);
        Consume(there);
        stream.ReadExactly(buffer[there..]);
        _expectsLarge = Count == 0;
    }
}
