namespace DiskSync.Handoff.Migration;

/// <summary>Where a migration is; design section 4.</summary>
public enum MigrationState
{
    /// <summary>Ownership checked, images opened, bases chosen.</summary>
    Preparing,

    /// <summary>The first round.</summary>
    BulkCopy,

    /// <summary>Later rounds, while the guest runs.</summary>
    DeltaRounds,

    /// <summary>The destination reads back what it holds, while the guest runs.</summary>
    Proving,

    /// <summary>The machine's memory is copied while it runs; at the end of that it is paused. Only where its hypervisor moves memory.</summary>
    CopyingMemory,

    /// <summary>The guest is paused; the last delta and its proof.</summary>
    Paused,

    /// <summary>The hand-over has begun. Its point of no return is the record CEDED: before it the source may call off without asking, after it only the destination's durable word decides.</summary>
    HandingOver,

    /// <summary>The destination owns.</summary>
    Done,
}
