using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Tracking;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;
using DiskSync.Handoff.Migration;

namespace DiskSync.Cli.Connecting;

/// <summary>Has the machine's QEMU record the writes to its images, where it can; where it cannot, the rounds scan.</summary>
internal sealed class QemuTracking : IDisposable
{
    private readonly CommandContext _context;
    private readonly QemuBitmapServer? _server;

    private QemuTracking(CommandContext context, QemuBitmapServer? server)
    {
        _context = context;
        _server = server;
    }

    /// <summary>Makes QEMU ready to tell, or says why it is not.</summary>
    /// <param name="context">Where notes go.</param>
    /// <param name="socket">QEMU's monitor, or null where there is no QEMU.</param>
    /// <param name="limit">The longest that QEMU may take for one answer.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="images">The images as the user named them.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<QemuTracking> StartAsync(
        CommandContext context, string? socket, TimeSpan limit, OwnershipParts parts, IReadOnlyList<string> images, CancellationToken cancellation)
    {
        if (socket is null)
        {
            return new QemuTracking(context, null);
        }

        // Starting removes what a killed migrate has left; one that lives has these locks, and keeps what it made.
        using (IDisposable? free = parts.Locks.TryAcquire([.. images.Select(ImageIdentity.Of)], besideExports: true))
        {
            if (free is not null)
            {
                try
                {
                    return new QemuTracking(context, await QemuBitmapServer.StartAsync(QmpAddress.Of(socket), limit, cancellation));
                }
                catch (DiskSyncException exception)
                {
                    context.Output.Note($"every round reads the whole image, because writes cannot be tracked: {exception.Message}");
                }
            }
        }

        return new QemuTracking(context, null);
    }

    /// <summary>Begins to track an image.</summary>
    /// <returns>Null where QEMU cannot; its user has been told.</returns>
    public async Task<IWriteTracking?> TryTrackAsync(string path, long length, CancellationToken cancellation)
    {
        if (_server is null)
        {
            return null;
        }

        try
        {
            QemuBitmapTracking tracking = await _server.TrackAsync(path, length, cancellation);
            _context.Output.Note($"{path}: QEMU records its writes; after the first round only what was written is looked at");
            return tracking;
        }
        catch (DiskSyncException exception)
        {
            _context.Output.Note($"every round reads the whole image: {exception.Message}");
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _server?.Dispose();
}
