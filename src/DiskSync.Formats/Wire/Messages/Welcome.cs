namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="Hello"/>.</summary>
/// <param name="SessionId">As in the <see cref="Hello"/>.</param>
/// <param name="Capabilities">What both sides can do; the session uses these and no others.</param>
/// <param name="MaxBody">The largest frame body that the destination accepts.</param>
/// <param name="Window">How many payload bytes may be on their way unacknowledged.</param>
/// <param name="Host">The destination's host name.</param>
/// <param name="Software">Program and version.</param>
public sealed record Welcome(
    Guid SessionId,
    ulong Capabilities,
    uint MaxBody,
    uint Window,
    string Host,
    string Software) : Message;
