namespace DiskSync.Formats.Journal;

/// <summary>The two writes that append a record.</summary>
/// <param name="RecordOffset">Where the record goes: the file's end.</param>
/// <param name="Record">The record.</param>
/// <param name="SlotOffset">Where the head slot goes.</param>
/// <param name="Slot">The head slot that counts the record.</param>
/// <remarks>
/// Write the record, then the slot, then fdatasync once; the record is acknowledged when that has returned.
/// FORMAT.md, "Crash ordering", says what a cut in between costs, and when a second fdatasync pays.
/// </remarks>
public readonly record struct JournalAppend(
    long RecordOffset, ReadOnlyMemory<byte> Record, long SlotOffset, ReadOnlyMemory<byte> Slot);
