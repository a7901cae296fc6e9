namespace DiskSync.Handoff.Ownership;

/// <summary>What stands beside an image and remembers ownership even if the journal was lost or restored.</summary>
/// <param name="SealEpoch">The epoch of NAME.seal; 0 where there is none, or a plain copy's.</param>
/// <param name="CededEpoch">The largest EPOCH of the names NAME.ceded-EPOCH; 0 where there is none.</param>
/// <param name="SealDamaged">NAME.seal is there and cannot be read, so its epoch is not known.</param>
/// <param name="Exists">The image stands at its own name.</param>
public readonly record struct ImageWitness(ulong SealEpoch, ulong CededEpoch, bool SealDamaged, bool Exists)
{
    /// <summary>The largest EPOCH of the names NAME.incomplete-EPOCH; 0 where there is none.</summary>
    public ulong IncompleteEpoch { get; init; }

    /// <summary>Whether a tail seal stands beside it: a copy that was never whole, under whatever name.</summary>
    public bool HasTail { get; init; }

    /// <summary>How many bytes of it are still at the source; null where nothing here says.</summary>
    public long? MissingBytes { get; init; }

    /// <summary>The largest epoch that the image's surroundings know.</summary>
    public ulong Epoch => Math.Max(Math.Max(SealEpoch, CededEpoch), IncompleteEpoch);
}
