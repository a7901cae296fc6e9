namespace DiskSync.Engine.Transports;

/// <summary>The connection broke, went silent or carried something that is not our protocol.</summary>
/// <remarks>What was acknowledged as durable stays; running the same command again goes on from there.</remarks>
public sealed class TransportLostException : DiskSyncException
{
    /// <summary>Describes a lost connection.</summary>
    public TransportLostException(string message, string advice = "", Exception? inner = null)
        : base(FailureKind.Transport, message, advice, inner)
    {
    }
}
