namespace DiskSync.Engine.Comparison;

/// <summary>Neighbouring blocks that compare alike.</summary>
/// <param name="First">The number of the first block.</param>
/// <param name="Count">How many blocks, at least 1.</param>
/// <param name="State">How they compare.</param>
public readonly record struct StateRun(long First, long Count, BlockState State)
{
    /// <summary>Whether the blocks differ from the base's.</summary>
    public bool IsChange => State is BlockState.Changed or BlockState.Zeroed;
}
