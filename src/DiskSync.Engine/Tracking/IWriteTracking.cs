using DiskSync.Codecs;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tracking;

/// <summary>Somebody through whom every write to an image goes, and who lends that knowledge to one migration.</summary>
/// <remarks>
/// Thread safe. It begins to track before the migration gets it. Whatever throws has failed for good: what it has
/// cleared may not have arrived, so nothing it says later is to be trusted (safety rule 6). Disposing gives the image back.
/// </remarks>
public interface IWriteTracking : IDisposable
{
    /// <summary>Who tracks, for reports: "write tracking of the export".</summary>
    string Name { get; }

    /// <summary>Whether it is the export that serves the image and so has its serving lock, which would keep anybody else's attempt from beginning.</summary>
    bool IsExport => false;

    /// <summary>Marks what was written since it was last asked, and begins anew; call it before any of those blocks is read (safety rule 3).</summary>
    /// <param name="bitmap">Where.</param>
    /// <param name="geometry">How the image is cut into the bitmap's blocks.</param>
    /// <returns>Bytes, in the tracker's own precision.</returns>
    /// <exception cref="DiskSyncException">It cannot tell.</exception>
    long TakeInto(DirtyBitmap bitmap, BlockGeometry geometry);

    /// <summary>Bytes that were written since it was last asked; a snapshot.</summary>
    /// <exception cref="DiskSyncException">It cannot tell.</exception>
    long DirtyBytes();

    /// <summary>The root of a state of the image since which it knows all that was written; unknown where there is none.</summary>
    Hash256 Baseline => Hash256.Unknown;

    /// <summary>Marks what was written since the <see cref="Baseline"/>; only where there is one. Clears nothing.</summary>
    /// <param name="bitmap">Where.</param>
    /// <param name="geometry">How the image is cut into the bitmap's blocks.</param>
    /// <returns>Bytes, in the tracker's own precision.</returns>
    /// <exception cref="DiskSyncException">It cannot tell.</exception>
    long SinceBaselineInto(DirtyBitmap bitmap, BlockGeometry geometry) =>
        throw new NotSupportedException($"{Name} knows of no earlier state");

    /// <summary>Before the last <see cref="TakeInto"/>: no write is under way when this returns, and new ones wait unanswered.</summary>
    /// <param name="patience">The longest that writes under way may take.</param>
    /// <exception cref="DiskSyncException">They took longer, and nothing is fenced; or it cannot tell.</exception>
    void Fence(TimeSpan patience);

    /// <summary>Whether it can slow writes and knows how long they take.</summary>
    bool CanSlow => false;

    /// <summary>What was written so far and how long it took; only where it <see cref="CanSlow"/>.</summary>
    /// <exception cref="DiskSyncException">It cannot tell.</exception>
    WriteLoad Load() => throw new NotSupportedException($"{Name} does not know how long writes take");

    /// <summary>Slows writes, or lets them go; only where it <see cref="CanSlow"/>. Ends with the lending at the latest.</summary>
    /// <param name="rate">Bytes a second; infinite for no limit.</param>
    /// <param name="ceiling">The longest that one write may be kept.</param>
    /// <exception cref="DiskSyncException">It cannot be told.</exception>
    void Slow(double rate, TimeSpan ceiling) => throw new NotSupportedException($"{Name} does not slow writes");

    /// <summary>Lets held writes go on: only where nothing has been ceded.</summary>
    /// <exception cref="DiskSyncException">It cannot be told; its own end of the connection lets them go on.</exception>
    void Release();
}
