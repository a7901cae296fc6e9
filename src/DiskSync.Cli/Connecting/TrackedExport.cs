using DiskSync.Cli.Output;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Exports.Lending;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.Seal;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;
using DiskSync.Linux;

namespace DiskSync.Cli.Connecting;

/// <summary>What an export needs to keep track of writes, to lend its image to migrations, and to know after its end what was written.</summary>
internal sealed class TrackedExport : IDisposable
{
    private readonly string _identity;
    private readonly string _path;
    private readonly OwnershipParts _parts;
    private readonly CommandOutput _output;
    private readonly Action _letGo;
    private readonly WriteTracker _tracker = new();
    private TrackingBaseline? _baseline;
    private ExportLending? _lending;

    private TrackedExport(string identity, string path, long length, OwnershipParts parts, CommandOutput output, Action letGo)
    {
        _identity = identity;
        _path = path;
        _parts = parts;
        _output = output;
        _letGo = letGo;
        Since = new DirtyMap(length);
        _tracker.Attach(Since);
    }

    /// <summary>What was written since the export began.</summary>
    public DirtyMap Since { get; }

    /// <summary>Begins with an image that is owned here.</summary>
    /// <param name="right">The image; stays the caller's, who disposes it after this.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="output">Told what the operator should know.</param>
    /// <returns>The tracking, and the image whose writes it tracks.</returns>
    /// <exception cref="DiskSyncException">The image cannot be handed over, so tracking it would be for nothing; or the socket cannot be had.</exception>
    public static (TrackedExport Tracked, IBlockDevice Image) Begin(ExportRight right, OwnershipParts parts, CommandOutput output)
    {
        string identity = right.Identity ?? throw new DiskSyncException(
            FailureKind.Preflight,
            $"source {right.Image.Name}: it has no lasting name under /dev/disk/by-id or as a volume, so it cannot be handed over and is not tracked",
            "Export it without --track.");
        TrackedExport tracked = new(identity, right.Image.Name, right.Image.Length, parts, output, right.LetGo);
        try
        {
            return (tracked, tracked.Track(right.Image, right.Image, null));
        }
        catch
        {
            tracked.Dispose();
            throw;
        }
    }

    /// <summary>Prepares for an image that is still to arrive.</summary>
    /// <param name="image">The image.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="parts">This host's ownership.</param>
    /// <param name="output">Told what the operator should know.</param>
    public static TrackedExport Await(IncomingImage image, long length, OwnershipParts parts, CommandOutput output) =>
        new(image.Identity, image.Path, length, parts, output, image.LetGo);

    /// <summary>How an image that arrives gets tracked.</summary>
    public IncomingTracking Incoming() => new(Since, (image, standing) =>
    {
        try
        {
            return Track(image, standing.Image!, standing.Untouched);
        }
        catch (Exception exception) when (exception is DiskSyncException or LinuxException)
        {
            // The guest is waiting for its disk; that it cannot move on without a scan is no reason to keep it from running.
            _output.Warning($"{_identity}: its writes are not tracked for migrations from here: {exception.Message}");
            return image;
        }
    });

    /// <summary>Lends to nobody any more; what was held for a migration goes on or fails.</summary>
    public void EndLending() => _lending?.Dispose();

    /// <summary>Keeps what is known for the next export of the image, where anything is.</summary>
    /// <param name="close">Closes the image, which was flushed; the right to serve it is held until after this.</param>
    public void Save(Action close)
    {
        if (_baseline is null || _tracker.Gate.IsShut)
        {
            return;
        }

        close();
        if (_parts.TrackingRecord(_identity).Save(_path, _baseline) is { Length: > 0 } why)
        {
            _output.Warning($"{_identity}: what was written since it came here is forgotten with this export, so going back scans it: {why}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lending?.Dispose();
        _tracker.Dispose();
    }

    /// <param name="image">What is to be tracked.</param>
    /// <param name="medium">The file or device below it.</param>
    /// <param name="untouched">What it holds, where nobody can have written it since it came here.</param>
    private TrackedDevice Track(IBlockDevice image, IBlockDevice medium, SealRecord? untouched)
    {
        TrackingBaseline? kept = _parts.TrackingRecord(_identity).Take(medium, out _);
        _baseline = untouched is null ? kept : new TrackingBaseline(untouched.Root, untouched.Epoch, new DirtyMap(image.Length));
        if (_baseline is not null)
        {
            _tracker.Attach(_baseline.Since);
            _output.Note($"{_identity}: going back to where it came from with epoch {_baseline.Epoch} will look only at what is written here");
        }

        _lending = _parts.Lend(new LendableImage(_identity, image.Length, _tracker, _baseline), _output.Warning, _letGo);
        return new TrackedDevice(image, _tracker);
    }
}
