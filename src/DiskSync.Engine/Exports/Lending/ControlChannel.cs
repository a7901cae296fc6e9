using System.Net.Sockets;
using DiskSync.Formats;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Exports.Lending;

/// <summary>Control messages over a socket, one at a time each way; owns the socket.</summary>
/// <remarks>Calls wait for the peer, at most <see cref="Patience"/>. One thread may send while another receives.</remarks>
internal sealed class ControlChannel : IDisposable
{
    private readonly Socket _socket;

    public ControlChannel(Socket socket)
    {
        _socket = socket;
        _socket.SendTimeout = (int)Patience.TotalMilliseconds;
    }

    /// <summary>Longer than any fence takes; a peer of the same host that is silent for so long hangs.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Sends a message.</summary>
    /// <exception cref="IOException">The peer is gone, or does not read.</exception>
    public void Send(ControlMessage message)
    {
        ReadOnlySpan<byte> rest = ControlCodec.Encode(message);
        try
        {
            while (!rest.IsEmpty)
            {
                rest = rest[_socket.Send(rest)..];
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    /// <summary>Waits for a message.</summary>
    /// <param name="patience">The longest to wait; infinite for a peer that may have nothing to say.</param>
    /// <returns>Null where the peer has ended the connection between two messages.</returns>
    /// <exception cref="IOException">The connection broke, or nothing came.</exception>
    /// <exception cref="FormatViolationException">What came is no message.</exception>
    public ControlMessage? Receive(TimeSpan patience)
    {
        _socket.ReceiveTimeout = patience == Timeout.InfiniteTimeSpan ? 0 : (int)patience.TotalMilliseconds;
        byte[] header = new byte[ControlCodec.HeaderSize];
        if (!Fill(header, mayEnd: true))
        {
            return null;
        }

        (int length, byte type) = ControlCodec.DecodeHeader(header);
        byte[] body = new byte[length];
        Fill(body, mayEnd: false);
        return ControlCodec.Decode(type, body);
    }

    /// <summary>Makes whoever waits here go on at once.</summary>
    public void Disconnect()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It is gone already.
        }
    }

    public void Dispose() => _socket.Dispose();

    private bool Fill(byte[] buffer, bool mayEnd)
    {
        int filled = 0;
        try
        {
            while (filled < buffer.Length)
            {
                int count = _socket.Receive(buffer.AsSpan(filled));
                if (count == 0)
                {
                    return mayEnd && filled == 0 ? false : throw new IOException("the connection ended within a message");
                }

                filled += count;
            }

            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}
