using System.Net.Sockets;

namespace DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

/// <summary>Takes away what a disksync has made in a QEMU: exports, the NBD server, bitmaps; its own at the end, or a killed one's.</summary>
/// <remarks>Whatever has a name of somebody else's is not touched.</remarks>
internal static class QemuLeftOvers
{
    /// <summary>Where the NBD server of ours listens in a QEMU: beside its monitor, where QEMU could make a socket before.</summary>
    public static string ServerOf(string qmpSocket) => qmpSocket + ".disksync";

    /// <summary>Removes all of it.</summary>
    /// <exception cref="Engine.DiskSyncException">QEMU refused, or cannot be spoken to.</exception>
    public static async Task RemoveAsync(QmpClient client, CancellationToken cancellationToken)
    {
        QemuBlocks blocks = new(client);
        IReadOnlyList<string> exports = await blocks.ExportsAsync(cancellationToken);
        string[] ours = [.. exports.Where(IsOurs)];
        foreach (string export in ours)
        {
            await blocks.EndExportAsync(export, cancellationToken);
        }

        // QEMU has one NBD server and does not say where: one that listens at our place is ours.
        string server = ServerOf(client.Path);
        if (IsListening(server))
        {
            await blocks.StopServerAsync(cancellationToken);
        }

        foreach (QemuNode node in await blocks.NodesAsync(cancellationToken))
        {
            foreach (QemuBitmap bitmap in node.Bitmaps.Where(b => IsOurs(b.Name)))
            {
                await blocks.RemoveBitmapAsync(node.Name, bitmap.Name, cancellationToken);
            }
        }

        TryDelete(server);
    }

    private static bool IsOurs(string name) => name.StartsWith(QemuBlocks.Prefix, StringComparison.Ordinal);

    private static bool IsListening(string path)
    {
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A socket that nobody listens on; QEMU replaces it when it makes one there again.
        }
    }
}
