namespace DiskSync.Engine.Comparison.Picture;

/// <summary>What the blocks of one cell of the picture are, in blocks.</summary>
/// <param name="Holes">Unallocated in both.</param>
/// <param name="Same">Unchanged.</param>
/// <param name="Changed">Changed to other content.</param>
/// <param name="Zeroed">Changed to zeros.</param>
public readonly record struct ChangeCell(long Holes, long Same, long Changed, long Zeroed)
{
    /// <summary>The share of blocks that changed, 0 to 1.</summary>
    public double ChangedShare => (double)(Changed + Zeroed) / Math.Max(1, Holes + Same + Changed + Zeroed);

    /// <summary>The cell with some more blocks of one state.</summary>
    public ChangeCell Plus(BlockState state, long count) => state switch
    {
        BlockState.Hole => this with { Holes = Holes + count },
        BlockState.Same => this with { Same = Same + count },
        BlockState.Changed => this with { Changed = Changed + count },
        _ => this with { Zeroed = Zeroed + count },
    };
}
