namespace DiskSync.Formats.Wire.Messages;

/// <summary>S to D: is what stands at a target's name sealed, unwritten since, and what I have? Capability CheckImage.</summary>
/// <param name="Name">The target's name.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Granularity">The granularity of the root.</param>
/// <param name="Root">The root hash of what the source has; known.</param>
/// <param name="Mode">Permission bits that the image should have, or <see cref="uint.MaxValue"/> for those that it has.</param>
/// <param name="Owner">user:group that the image should have, or empty.</param>
/// <param name="Sample">Blocks that the destination reads from its medium and compares, at most <see cref="WireLimits.MaxSample"/>; ascending.</param>
public sealed record CheckImage(
    string Name,
    ulong Length,
    uint Granularity,
    Codecs.Hash256 Root,
    uint Mode,
    string Owner,
    IReadOnlyList<SampleBlock> Sample) : Message;
