using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: send nodes of a map.</summary>
/// <remarks>A base is named by its root, which <see cref="Bases"/> gave; only then may the image not be open. First and count lie inside the level.</remarks>
/// <param name="Subject">A base's root, or unknown for the image being received.</param>
/// <param name="Level">0 for block hashes, k for tree nodes over 256^k blocks.</param>
/// <param name="First">The first node.</param>
/// <param name="Count">How many, at most <see cref="WireLimits.MaxMapNodes"/>.</param>
public sealed record MapRequest(Hash256 Subject, byte Level, ulong First, uint Count) : Message;
