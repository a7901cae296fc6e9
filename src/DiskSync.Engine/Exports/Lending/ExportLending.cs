using System.Net.Sockets;
using DiskSync.Engine.Tracking;
using DiskSync.Engine.Transports;
using DiskSync.Formats;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Exports.Lending;

/// <summary>Lends an exported image to one migration at a time: tells it what is written, fences for it, and finds out afterwards whose the image is.</summary>
/// <remarks>
/// The protocol, and who decides what, is in Formats/ExportControl/FORMAT.md. A borrower that dies leaves nothing fenced that
/// is still this host's, and nothing writable that is not. Thread safe; stopping ends the connection.
/// </remarks>
public sealed class ExportLending : IDisposable
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);

    private readonly LendableImage _image;
    private readonly ILendingJudge _judge;
    private readonly Action<string> _tell;
    private readonly Socket _listening;
    private readonly string _path;
    private readonly Thread _thread;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _isFree = new(initialState: true);
    private readonly Action _onGone;
    private ControlChannel? _borrower;
    private bool _isListening = true;

    private ExportLending(LendableImage image, string path, ILendingJudge judge, Action<string> tell, Action onGone)
    {
        _image = image;
        _judge = judge;
        _tell = tell;
        _onGone = onGone;
        _path = Path.GetFullPath(path);
        _listening = UnixSocketListener.Listen(path);
        _thread = new Thread(Accept) { IsBackground = true, Name = "export lending" };
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="image">What may be lent; stays the caller's, who disposes it after this.</param>
    /// <param name="path">Where borrowers ask; its folder is made.</param>
    /// <param name="judge">Says what has become of the image when a borrower has gone.</param>
    /// <param name="tell">Told what the operator should know; from any thread.</param>
    /// <param name="onGone">Called once where the image has become another host's: no write of this export succeeds any more; from any thread.</param>
    /// <exception cref="DiskSyncException">The socket cannot be had.</exception>
    public static ExportLending Start(LendableImage image, string path, ILendingJudge judge, Action<string> tell, Action onGone)
    {
        LendingSocket.MakeFolder(path);
        ExportLending lending = new(image, path, judge, tell, onGone);
        lending._thread.Start();
        return lending;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            _stop.Cancel();
            _borrower?.Disconnect();
        }

        StopListening();
        _thread.Join();

        // A borrower has been told to go; what was held for it is released or refused before this returns.
        _isFree.Wait();
    }

    /// <summary>The path is free for the next export of the image.</summary>
    private void StopListening()
    {
        lock (_lock)
        {
            if (!_isListening)
            {
                return;
            }

            _isListening = false;
            File.Delete(_path);
        }

        // Ends the wait for the next one, which closing alone does not on every kernel.
        try
        {
            _listening.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // Nobody waits.
        }

        _listening.Dispose();
    }

    private void Accept()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = _listening.Accept();
                new Thread(() => Serve(socket)) { IsBackground = true, Name = "export borrower" }.Start();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                if (Volatile.Read(ref _isListening))
                {
                    _tell($"no migration can borrow {_image.Path} any more: {exception.Message}");
                }

                return;
            }
        }
    }

    private void Serve(Socket socket)
    {
        using ControlChannel channel = new(socket);
        try
        {
            if (channel.Receive(ControlChannel.Patience) is not LendRequest request)
            {
                return;
            }

            if (TryTake(channel) is { } refusal)
            {
                channel.Send(refusal);
                return;
            }

            Lend(channel, request.Borrower);
        }
        catch (Exception exception) when (exception is IOException or FormatViolationException)
        {
            // It has not borrowed anything.
        }
    }

    private Refusal? TryTake(ControlChannel channel)
    {
        lock (_lock)
        {
            if (_image.Tracker.Gate.IsShut)
            {
                return new Refusal($"source {_image.Path} was handed over while this export served it", "Stop the export.");
            }

            if (_borrower is not null)
            {
                return new Refusal(
                    $"source {_image.Path} is lent to another migration, or to one that has ended and is not resolved",
                    "Wait for it ('disksync status'), or resolve it with 'disksync owner'.");
            }

            _borrower = channel;
            _isFree.Reset();
            return null;
        }
    }

    private void Lend(ControlChannel channel, string borrower)
    {
        string broken = string.Empty;
        using (LendingSession session = new(_image))
        {
            try
            {
                session.Run(channel);
            }
            catch (Exception exception) when (exception is IOException or FormatViolationException)
            {
                broken = exception.Message;
            }

            // What it asked for it asked for itself; only the fence outlives it.
            _image.Tracker.Brake.Set(double.PositiveInfinity, TimeSpan.Zero);
            Settle(borrower, broken);
        }

        lock (_lock)
        {
            _borrower = null;
            _isFree.Set();
        }
    }

    /// <summary>After a borrower: nobody writes before it is known whose the image is.</summary>
    private void Settle(string borrower, string broken)
    {
        string how = broken.Length > 0 ? $"broke off ({broken})" : "ended";
        WriteGate gate = _image.Tracker.Gate;
        bool isTold = false;
        while (true)
        {
            LendingFate fate = _judge.Judge();
            switch (fate.Kind)
            {
                case LendingFateKind.Ours:
                    gate.Release();
                    if (broken.Length > 0 || isTold)
                    {
                        _tell($"{borrower} {how}; {_image.Path} is this host's and writes go on");
                    }

                    return;
                case LendingFateKind.Gone:
                    gate.ShutFor(fate.Reason);
                    _tell($"{_image.Path}: {fate.Reason}; every write fails from here on");

                    // The image may come back while this still serves its reads.
                    StopListening();
                    _onGone();
                    return;
                default:
                    if (!isTold && fate.Reason.Length > 0)
                    {
                        isTold = true;
                        _tell($"{borrower} {how}; {_image.Path}: {fate.Reason}; writes wait");
                    }

                    break;
            }

            if (_stop.Token.WaitHandle.WaitOne(AskAgain))
            {
                // Whoever is held must not be told that it was written.
                gate.ShutFor("the export was stopped before it was known whose the image is");
                return;
            }
        }
    }
}
