using System.Buffers;
using System.Net.Sockets;

namespace DiskSync.Nbd.Server;

/// <summary>Sends the replies of one connection, in the order in which they are handed over.</summary>
/// <remarks>
/// Workers hand theirs over and go on: a client that does not read stops its own connection, not the others'. Thread
/// safe; what the connection's own thread answers at once is gathered and sent with one call (<see cref="Gather"/>,
/// <see cref="Flush"/>), which no other thread may call.
/// </remarks>
internal sealed class NbdOutbox : IDisposable
{
    private const int GatherBytes = 256 << 10;

    private readonly Stream _stream;
    private readonly Lock _sending = new();
    private readonly object _gate = new();
    private readonly Queue<Letter> _letters = [];
    private readonly byte[] _gathered = new byte[GatherBytes];
    private readonly Thread _sender;
    private int _gatheredBytes;
    private bool _isClosed;
    private volatile bool _isLost;

    /// <summary>Begins to send.</summary>
    /// <param name="stream">Owned by the connection.</param>
    public NbdOutbox(Stream stream)
    {
        _stream = stream;
        _sender = new Thread(Send) { IsBackground = true, Name = "nbd replies" };
        _sender.Start();
    }

    /// <summary>Hands a reply over.</summary>
    /// <param name="reply">Its bytes.</param>
    /// <param name="rented">To be given back once it is sent, or null.</param>
    /// <param name="sent">Called once it is sent, or can never be.</param>
    public void Post(ReadOnlyMemory<byte> reply, byte[]? rented, Action? sent)
    {
        lock (_gate)
        {
            _letters.Enqueue(new(reply, rented, sent));
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Room for a reply that will be sent with the next <see cref="Flush"/>; call <see cref="Gathered"/> once it is filled.</summary>
    /// <param name="length">At most 256 KiB.</param>
    public Span<byte> Gather(int length)
    {
        if (_gatheredBytes + length > GatherBytes)
        {
            Flush();
        }

        return _gathered.AsSpan(_gatheredBytes, length);
    }

    /// <summary>The room that was asked for last is filled.</summary>
    public void Gathered(int length) => _gatheredBytes += length;

    /// <summary>Sends what was gathered.</summary>
    /// <exception cref="IOException">The connection is lost.</exception>
    public void Flush()
    {
        if (_gatheredBytes == 0)
        {
            return;
        }

        int length = _gatheredBytes;
        _gatheredBytes = 0;
        lock (_sending)
        {
            _stream.Write(_gathered.AsSpan(0, length));
        }
    }

    /// <summary>Sends nothing more: the connection is lost. What is handed over is only cleared away.</summary>
    public void Abandon() => _isLost = true;

    /// <summary>Sends what was handed over, and ends.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }

        _sender.Join();
    }

    private void Send()
    {
        while (Next() is { } letter)
        {
            try
            {
                if (!_isLost)
                {
                    lock (_sending)
                    {
                        _stream.Write(letter.Bytes.Span);
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The connection's own thread finds out when it reads; here the rest is only cleared away.
                _isLost = true;
            }

            if (letter.Rented is not null)
            {
                ArrayPool<byte>.Shared.Return(letter.Rented);
            }

            letter.Sent?.Invoke();
        }
    }

    private Letter? Next()
    {
        lock (_gate)
        {
            while (_letters.Count == 0)
            {
                if (_isClosed)
                {
                    return null;
                }

                Monitor.Wait(_gate);
            }

            return _letters.Dequeue();
        }
    }

    private readonly record struct Letter(ReadOnlyMemory<byte> Bytes, byte[]? Rented, Action? Sent);
}
