using System.Net.Sockets;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Transports;
using DiskSync.Formats;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Exports;

/// <summary>Where an export hears from the receiver that brings connections of the image's source, and from whoever asks what is missing (Formats/ExportControl/FORMAT.md).</summary>
/// <remarks>Thread safe; stopping ends what is being negotiated, and not what was taken.</remarks>
public sealed class TailListener : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Func<TailedImage?> _find;
    private readonly Action<string> _tell;
    private readonly string _path;
    private readonly Socket _listening;
    private readonly Thread _thread;
    private volatile bool _isStopped;

    private TailListener(string path, Func<TailedImage?> find, Action<string> tell)
    {
        _find = find;
        _tell = tell;
        _path = Path.GetFullPath(path);
        _listening = UnixSocketListener.Listen(path);
        _thread = new Thread(Accept) { IsBackground = true, Name = "tail listener" };
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="path">Where; its folder is made.</param>
    /// <param name="find">Finds the image where parts of it are missing, and begins to serve it where that has not begun; null where there is none. Called from any thread.</param>
    /// <param name="tell">Told what the operator should know; from any thread.</param>
    /// <exception cref="DiskSyncException">The socket cannot be had.</exception>
    public static TailListener Start(string path, Func<TailedImage?> find, Action<string> tell)
    {
        LendingSocket.MakeFolder(path);
        TailListener listener = new(path, find, tell);
        listener._thread.Start();
        return listener;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isStopped)
        {
            return;
        }

        _isStopped = true;

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
        _thread.Join();
        File.Delete(_path);
    }

    private void Accept()
    {
        while (!_isStopped)
        {
            try
            {
                Socket socket = _listening.Accept();
                new Thread(() => Serve(socket)) { IsBackground = true, Name = "tail" }.Start();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                if (!_isStopped)
                {
                    _tell($"nothing can be fetched any more, as nobody can connect: {exception.Message}; start the export again");
                }

                return;
            }
        }
    }

    private void Serve(Socket socket)
    {
        ControlChannel channel = new(socket);
        bool isTaken = false;
        try
        {
            ControlMessage? request = channel.Receive(Patience);
            if (request is null)
            {
                return;
            }

            TailedImage? image = Find(out string why);
            if (image is null)
            {
                channel.Send(new Refusal(why, "Look at it with 'disksync owner'."));
                return;
            }

            switch (request)
            {
                case OfferTail offer when image.Refuse(offer) is { } refusal:
                    channel.Send(refusal);
                    break;
                case OfferTail offer:
                    channel.Send(new Done());
                    socket.ReceiveTimeout = socket.SendTimeout = 0;
                    isTaken = true;
                    image.Take(offer.Use, socket);
                    break;
                case SetTail set:
                    image.FailMissing = set.FailMissing;
                    channel.Send(image.State());
                    break;
                case AskTail:
                    channel.Send(image.State());
                    break;
                default:
                    channel.Send(new Refusal("this is not what an export of an image with an on-demand tail is asked", "Use disksync's own commands."));
                    break;
            }
        }
        catch (Exception exception) when (exception is IOException or FormatViolationException)
        {
            // It has gone, or is none of ours.
        }
        finally
        {
            if (!isTaken)
            {
                channel.Dispose();
            }
        }
    }

    private TailedImage? Find(out string why)
    {
        why = "no part of the image is missing here, as far as this export knows";
        try
        {
            return _find();
        }
        catch (Exception exception) when (exception is DiskSyncException or Nbd.Server.NbdExportException)
        {
            why = exception.Message;
            return null;
        }
    }
}
