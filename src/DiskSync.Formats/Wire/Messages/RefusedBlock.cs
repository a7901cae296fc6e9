namespace DiskSync.Formats.Wire.Messages;

/// <summary>A block that was not written.</summary>
/// <param name="Block">The block's number.</param>
/// <param name="Reason">Why.</param>
public readonly record struct RefusedBlock(ulong Block, RefusalReason Reason);
