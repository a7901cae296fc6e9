namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: nothing follows. A stream that ends without it has failed (safety rule 5).</summary>
/// <param name="FramesSent">How many frames the connection carried in this direction, this one included; the <see cref="FrameWriter"/> fills it in.</param>
public sealed record End(ulong FramesSent) : Message;
