using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.BlockMap;

namespace DiskSync.TestSupport;

/// <summary>A tracker that reports what a test has marked, and fails when it is told to.</summary>
/// <param name="length">The image's length in bytes.</param>
public sealed class ScriptedTracking(long length) : IWriteTracking
{
    /// <summary>What it will report.</summary>
    public DirtyMap Dirty { get; } = new(length);

    /// <summary>What it will report as written since its <see cref="Baseline"/>.</summary>
    public DirtyMap Since { get; } = new(length);

    /// <inheritdoc/>
    public Hash256 Baseline { get; init; } = Hash256.Unknown;

    /// <summary>Whether it fails.</summary>
    public bool Fails { get; set; }

    /// <summary>Called when it is fenced.</summary>
    public Action OnFence { get; set; } = () => { };

    /// <summary>How often writes were held.</summary>
    public int Fences { get; private set; }

    /// <summary>How often they were let go.</summary>
    public int Releases { get; private set; }

    /// <inheritdoc/>
    public string Name => "scripted tracking";

    /// <inheritdoc/>
    public long TakeInto(DirtyBitmap bitmap, BlockGeometry geometry)
    {
        ThrowIfFailing();
        return Dirty.Take().Sum(c => DirtyMap.MarkInto(c, bitmap, geometry)) * DirtyMap.Precision;
    }

    /// <inheritdoc/>
    public long SinceBaselineInto(DirtyBitmap bitmap, BlockGeometry geometry)
    {
        ThrowIfFailing();
        return Since.Peek().Sum(c => DirtyMap.MarkInto(c, bitmap, geometry)) * DirtyMap.Precision;
    }

    /// <inheritdoc/>
    public long DirtyBytes()
    {
        ThrowIfFailing();
        return Dirty.DirtyBytes;
    }

    /// <inheritdoc/>
    public void Fence(TimeSpan patience)
    {
        ThrowIfFailing();
        Fences++;
        OnFence();
    }

    /// <inheritdoc/>
    public void Release() => Releases++;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void ThrowIfFailing()
    {
        if (Fails)
        {
            throw new DiskSyncException(FailureKind.Source, "scripted tracking was told to fail", "Nothing.");
        }
    }
}
