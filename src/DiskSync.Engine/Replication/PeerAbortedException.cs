using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>The peer ended the session with an Abort: its error, told in its own words.</summary>
public sealed class PeerAbortedException : DiskSyncException
{
    /// <summary>Wraps the peer's Abort.</summary>
    public PeerAbortedException(Abort abort)
        : base(KindOf(abort.Code), abort.Reason, abort.Advice)
    {
        Abort = abort;
    }

    /// <summary>The message as it came.</summary>
    public Abort Abort { get; }

    /// <summary>The code that tells a peer of a failure of the given kind.</summary>
    public static AbortCode CodeOf(FailureKind kind) => kind switch
    {
        FailureKind.Source => AbortCode.SourceError,
        FailureKind.Destination => AbortCode.DestinationError,
        FailureKind.Preflight or FailureKind.Usage => AbortCode.Refused,
        FailureKind.OwnershipInDoubt => AbortCode.OwnershipInDoubt,
        FailureKind.Interrupted or FailureKind.NotConverged => AbortCode.Interrupted,
        _ => AbortCode.Protocol,
    };

    private static FailureKind KindOf(AbortCode code) => code switch
    {
        AbortCode.SourceError => FailureKind.Source,
        AbortCode.DestinationError or AbortCode.Internal => FailureKind.Destination,
        AbortCode.Refused => FailureKind.Preflight,
        AbortCode.OwnershipInDoubt => FailureKind.OwnershipInDoubt,
        AbortCode.Interrupted => FailureKind.Interrupted,
        _ => FailureKind.Transport,
    };
}
