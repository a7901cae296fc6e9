namespace DiskSync.TestSupport.PowerCuts;

/// <summary>What happened in power-cut runs.</summary>
public sealed class PowerCutCounts
{
    /// <summary>Rounds begun.</summary>
    public long Rounds { get; set; }

    /// <summary>Checkpoints made.</summary>
    public long Checkpoints { get; set; }

    /// <summary>Power cuts.</summary>
    public long PowerCuts { get; set; }

    /// <summary>Kills without a loss.</summary>
    public long Kills { get; set; }

    /// <summary>Operations that failed.</summary>
    public long Failures { get; set; }

    /// <summary>Journals that proved nothing.</summary>
    public long DamagedJournals { get; set; }

    /// <summary>Bytes hashed again after a stop.</summary>
    public long HashedBytes { get; set; }

    /// <summary>Stretches that were read back before the end.</summary>
    public long EarlyReads { get; set; }

    /// <summary>Adds others to these.</summary>
    public void Add(PowerCutCounts other)
    {
        Rounds += other.Rounds;
        Checkpoints += other.Checkpoints;
        PowerCuts += other.PowerCuts;
        Kills += other.Kills;
        Failures += other.Failures;
        DamagedJournals += other.DamagedJournals;
        HashedBytes += other.HashedBytes;
        EarlyReads += other.EarlyReads;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Rounds} rounds, {Checkpoints} checkpoints, {PowerCuts} power cuts, {Kills} kills, {Failures} failures, "
        + $"{DamagedJournals} journals that proved nothing, {HashedBytes >> 20} MiB hashed again, {EarlyReads} early reads";
}
