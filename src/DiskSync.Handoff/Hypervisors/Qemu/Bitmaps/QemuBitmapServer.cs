using DiskSync.Engine;
using DiskSync.Linux;

namespace DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

/// <summary>What one migration makes in a QEMU so that its bitmaps can be read: an NBD server, and a tracker for each image.</summary>
/// <remarks>
/// What a killed disksync left there is removed first, and all of its own when it is disposed; the caller holds the images'
/// locks, so nobody else's is at work. Not thread safe.
/// </remarks>
public sealed class QemuBitmapServer : IDisposable
{
    private readonly string _socket;
    private readonly TimeSpan _limit;

    private QemuBitmapServer(string socket, TimeSpan limit)
    {
        _socket = socket;
        _limit = limit;
    }

    /// <summary>Starts the server.</summary>
    /// <param name="address"><c>qmp:SOCKET</c>.</param>
    /// <param name="limit">The longest that QEMU may take for one answer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DiskSyncException">QEMU cannot be spoken to, or has an NBD server for somebody else.</exception>
    public static async Task<QemuBitmapServer> StartAsync(string address, TimeSpan limit, CancellationToken cancellationToken)
    {
        string socket = QmpAddress.PathOf(address);
        string server = QmpAddress.PathOf(QmpAddress.Of(QemuLeftOvers.ServerOf(socket)));
        using QmpClient client = await QmpClient.ConnectAsync(Side.Source, socket, limit, cancellationToken);
        await QemuLeftOvers.RemoveAsync(client, cancellationToken);
        await new QemuBlocks(client).StartServerAsync(server, cancellationToken);
        return new QemuBitmapServer(socket, limit);
    }

    /// <summary>Begins to track the writes to an image, in the node through which all of them go.</summary>
    /// <param name="image">The path of a raw file or a device that this QEMU has open.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DiskSyncException">This QEMU does not have it open, or not in a way in which one bitmap would see every write.</exception>
    public async Task<QemuBitmapTracking> TrackAsync(string image, long length, CancellationToken cancellationToken)
    {
        using QmpClient client = await QmpClient.ConnectAsync(Side.Source, _socket, _limit, cancellationToken);
        QemuBlocks blocks = new(client);

        // The lowest node: whatever is above it, even several of them, writes through it, and its offsets are the file's.
        QemuNode[] nodes = [.. (await blocks.NodesAsync(cancellationToken)).Where(n => n.Driver is "file" or "host_device" && IsSame(n.FileName, image))];
        if (nodes is not [var node])
        {
            throw Refused(image, nodes.Length == 0 ? "does not have it open" : "has it open more than once");
        }

        if (node.Length != length)
        {
            throw Refused(image, $"has {node.Length} bytes of it open, not {length}");
        }

        QemuBitmapTracking tracking = new(_socket, node.Name, _limit);
        await blocks.AddBitmapAsync(node.Name, tracking.Current, QemuBitmapTracking.Granularity, cancellationToken);
        return tracking;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            RemoveAsync().GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException)
        {
            // A QEMU that is gone has taken all of it along; from one that hangs the next migrate or 'owner' removes it.
        }
    }

    private async Task RemoveAsync()
    {
        using CancellationTokenSource patience = new(_limit);
        using QmpClient client = await QmpClient.ConnectAsync(Side.Source, _socket, _limit, patience.Token);
        await QemuLeftOvers.RemoveAsync(client, patience.Token);
    }

    private static bool IsSame(string fileName, string image) =>
        Path.IsPathRooted(fileName) && FileStat.IfExists(fileName) is { } one && FileStat.IfExists(image) is { } other && one.IsSameFileAs(other);

    private DiskSyncException Refused(string image, string why) => new(
        FailureKind.Preflight,
        $"source {image}: QEMU at {_socket} {why}, so its bitmaps say nothing about it",
        "Check that it is the machine's QEMU; without bitmaps every round reads and compares the whole image.");
}
