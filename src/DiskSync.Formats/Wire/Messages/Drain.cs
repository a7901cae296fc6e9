namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination, on another connection: one of the session's connections has failed here; end it there.</summary>
/// <param name="Connection">The failed connection's number.</param>
public sealed record Drain(ushort Connection) : Message;
