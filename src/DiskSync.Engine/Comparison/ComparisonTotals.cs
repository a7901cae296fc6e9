using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>Adds up runs as they come, in order. Not thread safe.</summary>
internal sealed class ComparisonTotals
{
    private readonly long _baseLength;
    private readonly BlockGeometry _geometry;
    private readonly ComparisonOptions _options;
    private readonly RunMerger _merger;
    private long _changedBlocks;
    private long _zeroedBlocks;
    private long _changedBytes;
    private long _zeroedBytes;
    private long _firstDifference = -1;

    /// <summary>Starts at nothing.</summary>
    public ComparisonTotals(long baseLength, BlockGeometry geometry, ComparisonOptions options)
    {
        _baseLength = baseLength;
        _geometry = geometry;
        _options = options;
        _merger = new RunMerger(options.OnRun);
    }

    /// <summary>Takes the next run.</summary>
    public void Add(StateRun run)
    {
        _merger.Add(run);
        if (!run.IsChange)
        {
            return;
        }

        long start = _geometry.OffsetOf(run.First);
        long bytes = Math.Min(_geometry.Length, _geometry.OffsetOf(run.First + run.Count)) - start;
        _changedBlocks += run.Count;
        _changedBytes += bytes;
        if (run.State == BlockState.Zeroed)
        {
            _zeroedBlocks += run.Count;
            _zeroedBytes += bytes;
        }
    }

    /// <summary>Notes where a difference is; the first call wins.</summary>
    public void Difference(long offset)
    {
        if (_firstDifference < 0)
        {
            _firstDifference = offset;
        }
    }

    /// <summary>Tells the progress sink that the blocks before this one are done.</summary>
    public void ReportDone(long block) => _options.Progress.Report(new CopyProgress(CopyPhase.Comparing)
    {
        BytesDone = Math.Min(_geometry.Length, _geometry.OffsetOf(block)),
        BytesTotal = _geometry.Length,
        DirtyBlocks = _changedBlocks,
    });

    /// <summary>Ends the last run and gives the result.</summary>
    /// <param name="preciseBytes">The 4 KiB-precise count, or null.</param>
    public ComparisonResult End(long? preciseBytes)
    {
        _merger.End();
        if (_baseLength != _geometry.Length)
        {
            Difference(Math.Min(_baseLength, _geometry.Length));
        }

        return new ComparisonResult(
            _baseLength,
            _geometry,
            _changedBlocks,
            _zeroedBlocks,
            _changedBytes,
            _zeroedBytes,
            preciseBytes,
            _merger.ChangedExtents,
            _firstDifference);
    }
}
