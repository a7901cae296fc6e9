namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: a batch has been written (not yet durably).</summary>
/// <remarks>Releases the source's claims on the batch's blocks (safety rule 2), also on the refused ones, which it claims again.</remarks>
/// <param name="Batch">The batch's number.</param>
/// <param name="Refused">Blocks that were not written and must be sent again as literals.</param>
public sealed record BatchAck(ulong Batch, IReadOnlyList<RefusedBlock> Refused) : Message;
