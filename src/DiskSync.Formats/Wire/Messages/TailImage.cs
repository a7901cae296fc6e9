using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>An image of an attempt with a tail.</summary>
/// <param name="Image">The image's index in the session.</param>
/// <param name="Root">The root hash of the destination's copy as it is, blocks that are missing included.</param>
/// <param name="Source">What the image is called at the source: for messages.</param>
public readonly record struct TailImage(ushort Image, Hash256 Root, string Source);
