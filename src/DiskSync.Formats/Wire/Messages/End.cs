namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: nothing follows. A stream that ends without it has failed (safety rule 5).</summary>
/// <param name="FramesSent">How many frames came before, this one included.</param>
public sealed record End(ulong FramesSent) : Message;
