using DiskSync.Engine;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.BlockMap;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;

namespace DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

/// <summary>The writes to one image as a dirty bitmap of QEMU's records them.</summary>
/// <remarks>
/// <para>Each time it is asked a fresh bitmap takes over, between two writes, and the old one is read and removed: what is
/// written from then on is the next time's. QEMU sets a bit after the write has been done and before the guest hears of it.</para>
/// <para>A bitmap that is gone (a QEMU that was started anew), stands still, or that QEMU does not believe itself is a failure,
/// and so is everything that keeps it from being read whole: nothing that it says later is to be trusted (safety rule 6).</para>
/// <para>The fence is the machine's pause: QEMU drains its disks then, and a machine that stands still writes nothing. What it
/// made in QEMU its <see cref="QemuBitmapServer"/> removes. Thread safe.</para>
/// </remarks>
public sealed class QemuBitmapTracking : IWriteTracking
{
    /// <summary>The bitmaps' precision, in bytes.</summary>
    public const int Granularity = 64 << 10;

    // QEMU's documentation (docs/interop/nbd): bit 0 of an extent's flags.
    private const uint Dirty = 1;

    private readonly string _socket;
    private readonly string _node;
    private readonly TimeSpan _limit;
    private readonly string _id = $"{QemuBlocks.Prefix}{Guid.NewGuid():N}"[..24];
    private readonly Lock _gate = new();
    private long _number;
    private bool _hasFailed;

    internal QemuBitmapTracking(string socket, string node, TimeSpan limit)
    {
        _socket = socket;
        _node = node;
        _limit = limit;
    }

    /// <inheritdoc/>
    public string Name => "QEMU's dirty bitmap";

    /// <summary>The bitmap that records now.</summary>
    internal string Current => $"{_id}-{_number}";

    /// <inheritdoc/>
    public long TakeInto(DirtyBitmap bitmap, BlockGeometry geometry)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        return Ask(blocks => TakeAsync(blocks, bitmap, geometry));
    }

    /// <inheritdoc/>
    public long DirtyBytes() => Ask(async blocks => (await RecordingAsync(blocks)).DirtyBytes);

    /// <inheritdoc/>
    public void Fence(TimeSpan patience) => Ask(async blocks => await blocks.StandsStillAsync(CancellationToken.None)
        ? 0
        : throw Failure("has not paused the machine, so what it has recorded is not the last of it"));

    /// <inheritdoc/>
    public void Release()
    {
        // Unpausing the machine is what lets its writes go on.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The server removes the bitmap with everything else.
    }

    private async Task<long> TakeAsync(QemuBlocks blocks, DirtyBitmap bitmap, BlockGeometry geometry)
    {
        _ = await RecordingAsync(blocks);
        string taken = Current;
        await blocks.SwapAsync(_node, taken, $"{_id}-{_number + 1}", Granularity, CancellationToken.None);
        _number++;
        string export = $"{_id}-read";
        await blocks.ExportAsync(export, _node, taken, CancellationToken.None);
        long dirty = await Task.Run(() => Read(export, taken, bitmap, geometry));
        await blocks.EndExportAsync(export, CancellationToken.None);
        await blocks.RemoveBitmapAsync(_node, taken, CancellationToken.None);
        return dirty;
    }

    private long Read(string export, string taken, DirtyBitmap bitmap, BlockGeometry geometry)
    {
        string kind = $"qemu:dirty-bitmap:{taken}";
        using NbdClient client = NbdClient.Connect(
            NbdDialer.For(NbdUri.Parse($"nbd+unix:///{Uri.EscapeDataString(export)}?socket={Uri.EscapeDataString(QemuLeftOvers.ServerOf(_socket))}")),
            new NbdClientOptions { ExportName = export, StatusKinds = [kind] });
        if (!client.Export.StatusKinds.Contains(kind, StringComparer.Ordinal) || client.Export.Length != geometry.Length)
        {
            throw Failure($"does not export its bitmap as it should ({client.Export.Length} bytes of {geometry.Length})");
        }

        long dirty = 0;
        long at = 0;
        while (at < geometry.Length)
        {
            foreach (NbdExtent extent in client.Status(kind, at, geometry.Length - at))
            {
                if ((extent.Flags & Dirty) != 0)
                {
                    long first = at / geometry.Granularity;
                    bitmap.Mark(first, ((at + extent.Length - 1) / geometry.Granularity) - first + 1);
                    dirty += extent.Length;
                }

                at += extent.Length;
            }
        }

        return dirty;
    }

    private async Task<QemuBitmap> RecordingAsync(QemuBlocks blocks)
    {
        QemuBitmap? found = (await blocks.NodeAsync(_node, CancellationToken.None))?.Bitmaps.FirstOrDefault(b => b.Name == Current);
        return found switch
        {
            null => throw Failure("has lost the bitmap that recorded the writes"),
            { IsInconsistent: true } => throw Failure("says that the bitmap that recorded the writes is not consistent"),
            { IsRecording: false } => throw Failure("had stopped recording writes in the bitmap"),
            _ => found,
        };
    }

    private long Ask(Func<QemuBlocks, Task<long>> ask)
    {
        using Lock.Scope only = _gate.EnterScope();
        if (_hasFailed)
        {
            throw Failure("had failed to tell what was written");
        }

        // What was cleared and not read is lost, so whatever goes wrong goes wrong for good.
        _hasFailed = true;
        try
        {
            using QmpClient client = QmpClient.ConnectAsync(Side.Source, _socket, _limit, CancellationToken.None).GetAwaiter().GetResult();
            long answer = ask(new QemuBlocks(client)).GetAwaiter().GetResult();
            _hasFailed = false;
            return answer;
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException or NbdServerException or IOException)
        {
            throw Failure($"does not let its bitmap be read: {exception.Message}", exception);
        }
    }

    private DiskSyncException Failure(string what, Exception? inner = null) => new(
        FailureKind.Source, $"source: QEMU at {_socket} {what}", "Every round reads and compares the whole image now.", inner);
}
