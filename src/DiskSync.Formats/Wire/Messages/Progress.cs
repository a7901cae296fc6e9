namespace DiskSync.Formats.Wire.Messages;

/// <summary>Either way: a long operation is alive.</summary>
/// <remarks>The frame's image index says which image it is about. Never answered.</remarks>
/// <param name="Phase">What is going on.</param>
/// <param name="Done">Bytes done.</param>
/// <param name="Total">Bytes in all, 0 where unknown.</param>
public sealed record Progress(ProgressPhase Phase, ulong Done, ulong Total) : Message;
