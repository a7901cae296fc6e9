namespace DiskSync.Formats.Journal;

/// <summary>What is wrong with a transfer journal that proves nothing.</summary>
/// <param name="Kind">The kind of damage.</param>
/// <param name="Offset">The byte where it was noticed.</param>
/// <param name="Explanation">A sentence for the user.</param>
public sealed record JournalDamage(JournalDamageKind Kind, long Offset, string Explanation);
