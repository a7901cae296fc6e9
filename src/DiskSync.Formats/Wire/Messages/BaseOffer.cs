using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>An image that the destination holds and offers as a base.</summary>
/// <param name="Name">Relative to the receiver's root.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Root">Its root at the granularity asked for, or unknown where it would have to be hashed first.</param>
/// <param name="Epoch">The epoch of its seal.</param>
public readonly record struct BaseOffer(string Name, ulong Length, Hash256 Root, ulong Epoch);
