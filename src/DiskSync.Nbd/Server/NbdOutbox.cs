using System.Net.Sockets;

namespace DiskSync.Nbd.Server;

/// <summary>Sends the replies of one connection, in the order in which they are handed over.</summary>
/// <remarks>
/// Workers hand theirs over and go on: a client that does not read stops its own connection, not the others'. Thread
/// safe; what the connection's own thread answers at once is gathered and sent with one call (<see cref="Gather"/>,
/// <see cref="Flush"/>), which no other thread may call.
/// </remarks>
/// <param name="stream">Owned by the connection.</param>
internal sealed class NbdOutbox(Stream stream) : IDisposable
{
    private const int GatherBytes = 256 << 10;

    // What a socket that can be written has room for in any case.
    private const int MostSentAtOnce = 8 << 10;

    private readonly Lock _sending = new();

    // Of TLS nobody can tell what its socket would take.
    private readonly Socket? _socket = (stream as NetworkStream)?.Socket;
    private readonly Lock _starting = new();
    private readonly NbdQueue<Letter> _letters = new();
    private readonly byte[] _gathered = new byte[GatherBytes];
    private Thread? _sender;
    private int _gatheredBytes;
    private volatile bool _isLost;

    /// <summary>Hands a reply over.</summary>
    /// <param name="reply">Its bytes.</param>
    /// <param name="sent">Called once it is sent, or can never be.</param>
    public void Post(ReadOnlyMemory<byte> reply, Action? sent)
    {
        if (TrySendNow(reply.Span))
        {
            sent?.Invoke();
            return;
        }

        lock (_starting)
        {
            if (_sender is null)
            {
                // Many connections never need it.
                _sender = new Thread(Send) { IsBackground = true, Name = "nbd replies" };
                _sender.Start();
            }
        }

        if (!_letters.Add(new(reply, sent)))
        {
            sent?.Invoke();
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
            stream.Write(_gathered.AsSpan(0, length));
        }
    }

    /// <summary>Sends nothing more: the connection is lost. What is handed over is only cleared away.</summary>
    public void Abandon() => _isLost = true;

    /// <summary>Sends what was handed over, and ends.</summary>
    public void Dispose()
    {
        _letters.Close();
        _sender?.Join();
    }

    // Another thread that only sends costs a small reply more than all the rest of it. Never waits: not for the socket,
    // and not for one who does.
    private bool TrySendNow(ReadOnlySpan<byte> reply)
    {
        if (_socket is null || reply.Length > MostSentAtOnce || _isLost || !_sending.TryEnter())
        {
            return false;
        }

        try
        {
            if (!_socket.Poll(0, SelectMode.SelectWrite))
            {
                return false;
            }

            stream.Write(reply);
        }
        catch (Exception exception) when (IsLoss(exception))
        {
            _isLost = true;
        }
        finally
        {
            _sending.Exit();
        }

        return true;
    }

    private static bool IsLoss(Exception exception) =>
        exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException;

    private void Send()
    {
        while (_letters.TryTake(out Letter letter))
        {
            try
            {
                if (!_isLost)
                {
                    lock (_sending)
                    {
                        stream.Write(letter.Bytes.Span);
                    }
                }
            }
            catch (Exception exception) when (IsLoss(exception))
            {
                // The connection's own thread finds out when it reads; here the rest is only cleared away.
                _isLost = true;
            }

            letter.Sent?.Invoke();
        }
    }

    private readonly record struct Letter(ReadOnlyMemory<byte> Bytes, Action? Sent);
}
