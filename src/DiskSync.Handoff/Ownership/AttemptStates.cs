using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>What the kinds of records have in common, whether an image is whole or has a tail (docs/tail.md): that changes nothing of who owns it.</summary>
internal static class AttemptStates
{
    /// <summary>Whether this host owns.</summary>
    public static bool IsOwned(this AttemptState state) => state is AttemptState.Owner or AttemptState.Running || state.IsIncomplete();

    /// <summary>Whether this host owns an image of which parts may still be at the source.</summary>
    public static bool IsIncomplete(this AttemptState state) => state is AttemptState.OwnerIncomplete or AttemptState.RunningIncomplete;

    /// <summary>Whether names, seals or the guest may still have to be seen to.</summary>
    public static bool IsUnfinished(this AttemptState state) => state is AttemptState.Owner or AttemptState.OwnerIncomplete;

    /// <summary>Whether D has promised to take over.</summary>
    public static bool IsPrepared(this AttemptState state) => state is AttemptState.Prepared or AttemptState.PreparedTail;

    /// <summary>What COMMIT makes of a promise.</summary>
    public static AttemptState Owned(this AttemptState prepared) =>
        prepared == AttemptState.PreparedTail ? AttemptState.OwnerIncomplete : AttemptState.Owner;

    /// <summary>What a guest that was started makes of it.</summary>
    public static AttemptState Started(this AttemptState owned) =>
        owned == AttemptState.OwnerIncomplete ? AttemptState.RunningIncomplete : AttemptState.Running;

    /// <summary>What nothing missing any more makes of it.</summary>
    public static AttemptState Whole(this AttemptState incomplete) =>
        incomplete == AttemptState.OwnerIncomplete ? AttemptState.Owner : AttemptState.Running;

    /// <summary>The record's name as docs/ownership.md has it.</summary>
    public static string Word(this AttemptState state) => state switch
    {
        AttemptState.PreparedTail => "PREPARED, with a tail",
        AttemptState.OwnerIncomplete => "OWNER_INCOMPLETE",
        AttemptState.RunningIncomplete => "RUNNING_INCOMPLETE",
        _ => state.ToString().ToUpperInvariant(),
    };
}
