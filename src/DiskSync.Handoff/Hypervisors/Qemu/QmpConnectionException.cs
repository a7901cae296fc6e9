using DiskSync.Engine;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>QEMU cannot be spoken to: nobody listens, the socket was closed or stayed silent, or what arrives is not QMP.</summary>
/// <remarks>Whether a command that had been sent was done is not known.</remarks>
public sealed class QmpConnectionException : DiskSyncException
{
    /// <summary>Describes the failure.</summary>
    /// <param name="side">Whose QEMU it is.</param>
    /// <param name="socket">Its socket.</param>
    /// <param name="what">What happened, to be put after "QEMU at SOCKET".</param>
    /// <param name="advice">What to do next.</param>
    /// <param name="inner">The cause.</param>
    public QmpConnectionException(Side side, string socket, string what, string advice, Exception? inner = null)
        : base(
            side == Side.Source ? FailureKind.Source : FailureKind.Destination,
            $"{side.ToString().ToLowerInvariant()}: QEMU at {socket} {what}",
            advice,
            inner)
    {
    }
}
