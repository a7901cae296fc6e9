using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>The server refuses what was asked for before the first request: there is no such export, it wants TLS, it has none.</summary>
public sealed class NbdRefusedException : Exception
{
    /// <summary>Says what was refused.</summary>
    /// <param name="reason">The server's answer.</param>
    /// <param name="message">For humans, with the server's own words where it had some.</param>
    public NbdRefusedException(NbdOptionReplyType reason, string message)
        : base(message) => Reason = reason;

    /// <summary>The server's answer.</summary>
    public NbdOptionReplyType Reason { get; }
}
