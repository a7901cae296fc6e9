using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.ExportControl;

/// <summary>A receiver brings a connection of the source's to the export whose image still misses parts; answered by <see cref="Done"/>, after which the bytes are NBD's.</summary>
/// <param name="Attempt">The attempt by which the image was handed over.</param>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Use">What the connection is for.</param>
/// <param name="Source">The source, for messages.</param>
public sealed record OfferTail(Guid Attempt, ulong Epoch, ServeUse Use, string Source) : ControlMessage;
