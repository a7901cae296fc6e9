namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination, first: who connects, and to which session the connection belongs.</summary>
/// <param name="SessionId">Names the session; a second connection or a reconnect carries the same.</param>
/// <param name="Connection">Which of the session's connections this is, from 0.</param>
/// <param name="Capabilities">What the sender can do, see <see cref="Capability"/>.</param>
/// <param name="MaxBody">The largest frame body that the sender accepts.</param>
/// <param name="Host">The sender's host name, for messages.</param>
/// <param name="Software">Program and version, for messages.</param>
public sealed record Hello(
    Guid SessionId,
    ushort Connection,
    ulong Capabilities,
    uint MaxBody,
    string Host,
    string Software) : Message;
