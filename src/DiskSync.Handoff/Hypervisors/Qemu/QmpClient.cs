using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using DiskSync.Engine;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>One connection to a QEMU's monitor socket: commands and their answers, and events on the way.</summary>
/// <remarks>
/// A monitor serves one client at a time: keep a connection only as long as a step takes. After a
/// <see cref="QmpConnectionException"/> or a cancellation the connection is of no more use. Not thread safe.
/// </remarks>
public sealed class QmpClient : IDisposable
{
    // Nobody need read them; what is kept is for whoever looks next.
    private const int MaxEvents = 256;

    private readonly Socket _socket;
    private readonly TimeSpan _patience;
    private readonly Queue<QmpMessage> _events = new();
    private byte[] _buffer = new byte[16 << 10];
    private int _start;
    private int _end;
    private long _lastId;

    private QmpClient(Socket socket, Side side, string path, TimeSpan patience)
    {
        _socket = socket;
        Side = side;
        Path = path;
        _patience = patience;
    }

    /// <summary>Whose QEMU it is.</summary>
    public Side Side { get; }

    /// <summary>The socket's path.</summary>
    public string Path { get; }

    /// <summary>Connects, reads the greeting and leaves the negotiation mode.</summary>
    /// <param name="side">Whose QEMU it is, for messages.</param>
    /// <param name="path">The socket's path.</param>
    /// <param name="patience">The longest that a connection or an answer may take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="QmpConnectionException">Nobody answers there, or not QMP.</exception>
    public static async Task<QmpClient> ConnectAsync(Side side, string path, TimeSpan patience, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        QmpClient client = new(socket, side, path, patience);
        try
        {
            await client.OpenAsync(cancellationToken);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="arguments">Its arguments, or null for none.</param>
    /// <param name="cancellationToken">Stops waiting; QEMU may do the command all the same.</param>
    /// <returns>What it returned.</returns>
    /// <exception cref="QmpCommandException">QEMU refused.</exception>
    /// <exception cref="QmpConnectionException">The connection is dead.</exception>
    public async Task<JsonElement> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        long id = ++_lastId;
        JsonObject request = new() { ["execute"] = command, ["id"] = id };
        if (arguments is not null)
        {
            request["arguments"] = arguments;
        }

        using CancellationTokenSource limit = Limit(cancellationToken);
        try
        {
            await SendAsync(request, limit.Token);
            while (true)
            {
                QmpMessage message = await NextAsync(limit.Token);
                switch (message.Kind)
                {
                    case QmpMessageKind.Event:
                        Keep(message);
                        break;
                    case QmpMessageKind.Return when message.Id == id:
                        return message.Value;
                    case QmpMessageKind.Error when message.Id == id:
                        throw new QmpCommandException(Side, Path, command, message.Name, message.Text);
                    case QmpMessageKind.Error when message.Id is null:
                        throw NotQmp($"did not understand {command}: {message.Text}");
                    default:
                        // The answer to a command that nobody waits for any more.
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Silent($"has not answered {command}");
        }
    }

    /// <summary>Waits for an event, and forgets all that have come.</summary>
    /// <param name="most">The longest that it waits.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The events since the last call, oldest first; empty where the time passed.</returns>
    /// <exception cref="QmpConnectionException">The connection is dead.</exception>
    public async Task<IReadOnlyList<QmpMessage>> WaitForEventsAsync(TimeSpan most, CancellationToken cancellationToken)
    {
        if (_events.Count == 0)
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(most);
            try
            {
                QmpMessage message = await NextAsync(limit.Token);
                if (message.Kind == QmpMessageKind.Event)
                {
                    Keep(message);
                }
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // A receive that was cancelled has taken nothing from the socket.
            }
        }

        QmpMessage[] all = [.. _events];
        _events.Clear();
        return all;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = Limit(cancellationToken);
        try
        {
            await _socket.ConnectAsync(new UnixDomainSocketEndPoint(Path), limit.Token);
            QmpMessage greeting = await NextAsync(limit.Token);
            if (greeting.Kind != QmpMessageKind.Greeting)
            {
                throw NotQmp("did not greet as QMP does");
            }
        }
        catch (SocketException exception)
        {
            throw new QmpConnectionException(
                Side,
                Path,
                $"cannot be reached: {exception.Message}",
                "Check that QEMU runs and has that monitor, as with -qmp unix:PATH,server=on,wait=off, and that this user may connect.",
                exception);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Silent("does not greet");
        }

        _ = await ExecuteAsync("qmp_capabilities", null, cancellationToken);
    }

    private async Task SendAsync(JsonObject request, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> rest = System.Text.Encoding.UTF8.GetBytes(request.ToJsonString() + "\n");
        try
        {
            while (!rest.IsEmpty)
            {
                rest = rest[await _socket.SendAsync(rest, SocketFlags.None, cancellationToken)..];
            }
        }
        catch (SocketException exception)
        {
            throw Closed(exception);
        }
    }

    private async Task<QmpMessage> NextAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (QmpDecoder.TryRead(_buffer.AsSpan(_start, _end - _start), out QmpMessage? message, out int consumed))
                {
                    _start += consumed;
                    return message!;
                }

                MakeRoom();
                int count = await _socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancellationToken);
                if (count == 0)
                {
                    throw Closed(null);
                }

                _end += count;
            }
        }
        catch (SocketException exception)
        {
            throw Closed(exception);
        }
        catch (InvalidDataException exception)
        {
            throw NotQmp($"does not speak QMP: {exception.Message}");
        }
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        // The decoder refuses a message before the buffer could outgrow it twice.
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    private void Keep(QmpMessage message)
    {
        if (_events.Count == MaxEvents)
        {
            _events.Dequeue();
        }

        _events.Enqueue(message);
    }

    private CancellationTokenSource Limit(CancellationToken cancellationToken)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_patience);
        return limit;
    }

    private QmpConnectionException Silent(string what) => new(
        Side,
        Path,
        $"{what} (waited {_patience.TotalSeconds:0.#} s)",
        "It hangs, or another client (libvirt, a shell) holds this monitor, which serves one at a time: give QEMU a second -qmp socket for disksync.");

    private QmpConnectionException Closed(Exception? inner) =>
        new(Side, Path, "has closed the connection", "It has ended or crashed: look at its log.", inner);

    private QmpConnectionException NotQmp(string what) =>
        new(Side, Path, what, "Check that the path is that of a QMP monitor, not of another socket.");
}
