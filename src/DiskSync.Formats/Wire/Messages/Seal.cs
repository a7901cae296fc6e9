using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: the copy is complete; give it its name and its seal. Used by push, which moves no ownership.</summary>
/// <param name="Epoch">The epoch that the seal records; 0 for a plain copy.</param>
/// <param name="Root">The root that the image must have.</param>
public sealed record Seal(ulong Epoch, Hash256 Root) : Message;
