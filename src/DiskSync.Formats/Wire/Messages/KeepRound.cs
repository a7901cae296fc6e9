namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: keep the copy as it is at the end of a round, for somebody to look at.</summary>
/// <param name="Round">The round, counted from 1.</param>
public sealed record KeepRound(uint Round) : Message;
