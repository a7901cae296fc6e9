namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: a batch has been written (not yet durably).</summary>
/// <param name="Batch">The batch's number.</param>
/// <param name="Refused">Blocks that were not written and must be sent again as literals.</param>
public sealed record BatchAck(ulong Batch, IReadOnlyList<RefusedBlock> Refused) : Message;
