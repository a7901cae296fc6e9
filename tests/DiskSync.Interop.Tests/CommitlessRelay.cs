using System.Net.Sockets;
using DiskSync.Formats.Wire;

namespace DiskSync.Interop.Tests;

/// <summary>A Unix socket before a receiver that lets everything through but the Commit of a hand-over: the source has ceded, the destination is prepared, and neither hears more.</summary>
/// <remarks>Serves one connection, and leaves it open: the source still waits for its answer when it is killed.</remarks>
internal sealed class CommitlessRelay : IAsyncDisposable
{
    private readonly Socket _listener = NewSocket();
    private readonly Socket _near = NewSocket();
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _swallowed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _relaying;

    /// <summary>Listens.</summary>
    /// <param name="path">The socket's path.</param>
    /// <param name="receiver">The receiver's socket.</param>
    public CommitlessRelay(string path, string receiver)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(1);
        _relaying = RelayAsync(receiver);
    }

    /// <summary>Completes when a Commit came in and was not passed on; fails where the connection ended before.</summary>
    public Task Swallowed => _swallowed.Task;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _relaying;
        _listener.Dispose();
        _near.Dispose();
        _end.Dispose();
    }

    private static Socket NewSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private async Task RelayAsync(string receiver)
    {
        try
        {
            using Socket accepted = await _listener.AcceptAsync(_end.Token);
            await _near.ConnectAsync(new UnixDomainSocketEndPoint(receiver), _end.Token);
            await using NetworkStream source = new(accepted);
            await using NetworkStream destination = new(_near);
            Task back = destination.CopyToAsync(source, _end.Token);
            await ForwardAsync(source, destination);
            await back;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
        {
            _swallowed.TrySetException(exception);
        }
    }

    private async Task ForwardAsync(NetworkStream source, NetworkStream destination)
    {
        byte[] preamble = new byte[Preamble.Size];
        await source.ReadExactlyAsync(preamble, _end.Token);
        await destination.WriteAsync(preamble, _end.Token);
        byte[] header = new byte[FrameHeader.Size];
        while (true)
        {
            await source.ReadExactlyAsync(header, _end.Token);
            FrameHeader frame = FrameHeader.Read(header);
            byte[] body = new byte[frame.Length];
            await source.ReadExactlyAsync(body, _end.Token);
            if (frame.Type == FrameType.Commit)
            {
                _swallowed.TrySetResult();
                return;
            }

            await destination.WriteAsync(header, _end.Token);
            await destination.WriteAsync(body, _end.Token);
        }
    }
}
