namespace DiskSync.Formats.Wire.Messages;

/// <summary>A control message: everything on the wire but <c>Blocks</c>, whose payload is handled in place.</summary>
/// <remarks>Immutable. The layout of each is in PROTOCOL.md; limits are checked by the decoder, once.</remarks>
public abstract record Message;
