namespace DiskSync.Formats.Wire.Messages;

/// <summary>Either way: are you there?</summary>
/// <param name="Token">Echoed in the <see cref="Pong"/>.</param>
public sealed record Ping(ulong Token) : Message;
