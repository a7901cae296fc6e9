namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: these blocks of the image will not be sent before the hand-over; they are fetched afterwards (docs/tail.md).</summary>
/// <remarks>Answered by <see cref="MissingNoted"/>. Several follow each other where there are many; not after Prepare. Capability Tail.</remarks>
/// <param name="IsFirst">Whether what was said before is forgotten.</param>
/// <param name="Spans">The blocks, ascending; none overlaps or touches.</param>
public sealed record MissingBlocks(bool IsFirst, IReadOnlyList<BlockSpan> Spans) : Message;
