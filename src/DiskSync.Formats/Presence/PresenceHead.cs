namespace DiskSync.Formats.Presence;

/// <summary>A head slot: how far the map goes at least.</summary>
/// <param name="Count">How many records there are.</param>
/// <param name="End">Where the last of them ends.</param>
/// <param name="Chain">The chain value after it.</param>
internal sealed record PresenceHead(ulong Count, long End, ReadOnlyMemory<byte> Chain);
