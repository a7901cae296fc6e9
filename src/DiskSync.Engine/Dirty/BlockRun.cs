namespace DiskSync.Engine.Dirty;

/// <summary>Neighbouring blocks of one image.</summary>
/// <param name="First">The number of the first block.</param>
/// <param name="Count">How many blocks, at least 1.</param>
public readonly record struct BlockRun(long First, long Count)
{
    /// <summary>The block after the last.</summary>
    public long End => First + Count;
}
