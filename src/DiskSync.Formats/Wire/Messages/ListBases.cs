namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: which base images could a copy start from?</summary>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Granularity">The block size in bytes; bases are compared at equal granularity only.</param>
/// <param name="Name">The target's name, so that what stands there already is offered too.</param>
public sealed record ListBases(ulong Length, uint Granularity, string Name) : Message;
