using System.Net.Sockets;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Formats;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Exports;

/// <summary>Where the export of an image that is still to arrive, or to become whole, listens for what its source sends, and for whoever asks.</summary>
public static class TailSocket
{
    /// <summary>The path of the socket.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    /// <param name="identity">The image's identity.</param>
    public static string PathOf(string stateFolder, string identity) => LendingSocket.PathOf(stateFolder, identity, ".tail");

    /// <summary>Asks the export what is missing, or tells it what becomes of those who need it.</summary>
    /// <param name="path">The socket.</param>
    /// <param name="image">The image, for messages.</param>
    /// <param name="failMissing">Whether what needs a missing part fails from now on while there is no link; null changes nothing.</param>
    /// <exception cref="DiskSyncException">No export serves it, or nothing of it is missing as far as that one knows.</exception>
    public static TailState Ask(string path, string image, bool? failMissing)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using ControlChannel channel = new(socket);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            channel.Send(failMissing is { } fails ? new SetTail(fails) : new AskTail());
            return channel.Receive(ControlChannel.Patience) switch
            {
                TailState state => state,
                Refusal refusal => throw new DiskSyncException(FailureKind.Preflight, refusal.Message, refusal.Advice),
                _ => throw new IOException("it did not answer"),
            };
        }
        catch (Exception exception) when (exception is SocketException or IOException or FormatViolationException)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {image}: no export that could serve it with parts missing runs on this host ({exception.Message})",
                $"'disksync owner {image}' says how it stands.",
                exception);
        }
    }
}
