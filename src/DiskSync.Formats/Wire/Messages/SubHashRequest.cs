namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: send the sub-block hashes of these blocks.</summary>
/// <param name="Blocks">At most <see cref="WireLimits.MaxSubHashBlocks"/>, ascending.</param>
public sealed record SubHashRequest(IReadOnlyList<ulong> Blocks) : Message;
