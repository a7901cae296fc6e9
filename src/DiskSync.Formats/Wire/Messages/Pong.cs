namespace DiskSync.Formats.Wire.Messages;

/// <summary>Either way, the answer to <see cref="Ping"/>.</summary>
/// <param name="Token">As asked.</param>
public sealed record Pong(ulong Token) : Message;
