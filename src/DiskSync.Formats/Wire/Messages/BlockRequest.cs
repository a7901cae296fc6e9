namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: send these blocks now, ahead of the rest (capability <see cref="Capability.OnDemand"/>; reserved for the on-demand tail).</summary>
/// <param name="First">The first block.</param>
/// <param name="Count">How many.</param>
public sealed record BlockRequest(ulong First, uint Count) : Message;
