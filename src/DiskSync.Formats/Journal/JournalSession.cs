namespace DiskSync.Formats.Journal;

/// <summary>A session holds the target from here on. Durable before its first batch is accepted.</summary>
/// <param name="Fence">Its fencing number, greater than all before.</param>
/// <param name="SessionId">Its id on the wire.</param>
public sealed record JournalSession(ulong Fence, Guid SessionId) : JournalRecord;
