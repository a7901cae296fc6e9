using System.Diagnostics.CodeAnalysis;

namespace DiskSync.Formats.Journal;

/// <summary>What reading a transfer journal gave: exactly one of a state and a damage.</summary>
/// <remarks>There is no third: a journal that is damaged in any way that might hide a withdrawal gives no state at all.</remarks>
public sealed class TransferJournalResult
{
    internal TransferJournalResult(TransferJournalState state) => State = state;

    internal TransferJournalResult(JournalDamage damage) => Damage = damage;

    /// <summary>What the journal proves, or null.</summary>
    public TransferJournalState? State { get; }

    /// <summary>Why it proves nothing, or null.</summary>
    public JournalDamage? Damage { get; }

    /// <summary>Whether there is a state.</summary>
    [MemberNotNullWhen(true, nameof(State))]
    [MemberNotNullWhen(false, nameof(Damage))]
    public bool IsIntact => State is not null;
}
