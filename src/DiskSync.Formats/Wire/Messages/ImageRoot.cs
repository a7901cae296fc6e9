using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>An image of an attempt and the root it must have.</summary>
/// <param name="Image">The image's index in the session.</param>
/// <param name="Root">Its root hash.</param>
public readonly record struct ImageRoot(ushort Image, Hash256 Root);
