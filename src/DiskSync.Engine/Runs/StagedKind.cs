namespace DiskSync.Engine.Runs;

/// <summary>What stands beside images.</summary>
public enum StagedKind
{
    /// <summary>A staged copy that a later run can go on with.</summary>
    Resumable,

    /// <summary>State files without the copy that they speak of; of no use to anybody.</summary>
    LeftOver,

    /// <summary>An image that this host has handed over; kept until its owner is sure of the destination.</summary>
    Ceded,
}
