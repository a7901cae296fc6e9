namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="SeedRequest"/>.</summary>
/// <param name="Known">How many blocks the destination's index knows of; 0 where asking again is of no use.</param>
/// <param name="Found">Places in the request, ascending, of contents that are there.</param>
public sealed record Seeds(ulong Known, IReadOnlyList<ushort> Found) : Message;
