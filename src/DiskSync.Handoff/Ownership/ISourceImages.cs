namespace DiskSync.Handoff.Ownership;

/// <summary>Makes images unusable to everybody else, and usable again (safety rule 8).</summary>
/// <remarks>
/// Both directions are idempotent and durable on return. They take no cancellation token: half of either is a
/// state that the next command would have to clear up.
/// </remarks>
public interface ISourceImages
{
    /// <summary>A file: NAME becomes NAME.ceded-EPOCH and the folder is flushed. A device: fenced by our export or hotplug script.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="epoch">The attempt's epoch.</param>
    /// <param name="incomplete">The EPOCH of the name NAME.incomplete-EPOCH that it has instead of its own; 0 where it has its own.</param>
    /// <exception cref="DiskSync.Engine.DiskSyncException">It could not be done, or neither name exists.</exception>
    Task MakeUnusableAsync(string image, ulong epoch, ulong incomplete = 0);

    /// <summary>The way back: NAME.ceded-EPOCH becomes NAME again.</summary>
    /// <param name="image">The image's identity.</param>
    /// <param name="epoch">The epoch under which it was made unusable.</param>
    /// <exception cref="DiskSync.Engine.DiskSyncException">It could not be done, or both names exist.</exception>
    Task MakeUsableAsync(string image, ulong epoch);
}
