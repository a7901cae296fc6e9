using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>How an attempt stands at the destination, as its durable journal says.</summary>
/// <param name="State">
/// None (the journal does not know the attempt), Prepared, Owner, Running, each of these three also with parts missing, Refused, or Done: handed back to the
/// source by <c>owner --return</c>, with <paramref name="Epoch"/> for the source to own.
/// </param>
/// <param name="Epoch">The epoch of the attempt's last record, 0 for None.</param>
/// <param name="Reason">For people; may be empty.</param>
public readonly record struct AttemptStanding(AttemptState State, ulong Epoch, string Reason = "")
{
    /// <summary>Whether the destination owns: no answer of the source's can change that.</summary>
    public bool IsOwner => State.IsOwned();

    /// <summary>Whether it owns and still needs what is frozen at the source.</summary>
    public bool IsIncomplete => State.IsIncomplete();
}
