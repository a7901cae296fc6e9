using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: the answer to <see cref="KeepRound"/>.</summary>
/// <param name="Root">The root of what the copy holds.</param>
/// <param name="Path">Where it is kept; empty where it could not be.</param>
/// <param name="Why">Why it could not; empty where it is kept.</param>
public sealed record RoundKept(Hash256 Root, string Path, string Why) : Message;
