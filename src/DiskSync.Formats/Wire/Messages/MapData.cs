namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="MapRequest"/>.</summary>
/// <param name="Level">As asked.</param>
/// <param name="First">As asked.</param>
/// <param name="Runs">Equal neighbours as runs; an unknown hash stands for a block that nobody hashed.</param>
public sealed record MapData(byte Level, ulong First, IReadOnlyList<HashRun> Runs) : Message;
