using DiskSync.Codecs;

namespace DiskSync.Formats.Journal;

/// <summary>What the staged copy started from.</summary>
/// <param name="BaseUsed">The base's name, or empty.</param>
/// <param name="BaseRoot">The root it had, or unknown.</param>
public sealed record JournalNote(string BaseUsed, Hash256 BaseRoot) : JournalRecord;
