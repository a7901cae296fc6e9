using System.Collections.Concurrent;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace DiskSync.Engine.Replication;

/// <summary>Serves sessions: one process may serve one over stdio, or many over a listening socket.</summary>
/// <remarks>
/// Thread safe. It knows which session holds which target, so that a source that reconnects takes its own target over:
/// the old connection is fenced, drained and closed before the new one may write (safety rule 2).
/// </remarks>
public sealed class ReceiverHost
{
    private readonly ConcurrentDictionary<string, ReceiverSession> _holders = new(StringComparer.Ordinal);

    /// <summary>Creates a host.</summary>
    /// <param name="targets">Opens targets and offers bases.</param>
    /// <param name="handOver">The hand-over's destination side; null where this receiver takes no ownership.</param>
    /// <param name="options">Limits.</param>
    /// <param name="logger">The log.</param>
    public ReceiverHost(ITargetProvider targets, IHandOverParticipant? handOver, ReceiverOptions options, ILogger logger)
    {
        Targets = targets;
        HandOver = handOver;
        Options = options;
        Logger = logger;
    }

    internal ITargetProvider Targets { get; }

    internal IHandOverParticipant? HandOver { get; }

    internal ReceiverOptions Options { get; }

    internal ILogger Logger { get; }

    /// <summary>Serves one connection until its session has ended.</summary>
    /// <param name="transport">Owned from now on.</param>
    /// <param name="cancellationToken">Stops serving: the source is told, what is staged is made durable.</param>
    /// <exception cref="DiskSyncException">How the session failed; the source has been told where it could be.</exception>
    public async Task ServeAsync(ITransport transport, CancellationToken cancellationToken)
    {
        await using Connection connection = new(transport, Options.Connection);
        using ReceiverSession session = new(this, connection);
        await session.RunAsync(cancellationToken);
    }

    /// <summary>Answers a source's greeting with the reason why this side cannot serve it, so that it hears more than a closed connection.</summary>
    /// <param name="transport">Owned from now on.</param>
    /// <param name="failure">Why.</param>
    /// <param name="cancellationToken">Stops waiting for the greeting.</param>
    /// <exception cref="TransportLostException">There is no source to tell.</exception>
    public static async Task TurnAwayAsync(ITransport transport, DiskSyncException failure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(failure);
        await using Connection connection = new(transport, new ConnectionOptions());
        await connection.OpenAsync(cancellationToken);
        await connection.ReceiveAsync(cancellationToken);
        await connection.SendAbortAsync(new Abort(
            PeerAbortedException.CodeOf(failure.Kind), true, string.Empty, -1, failure.Message, failure.Advice));
    }

    /// <summary>Gives a target to a session, taking it from an older connection of the same session.</summary>
    /// <exception cref="DiskSyncException">Another session holds it.</exception>
    internal async Task ClaimAsync(string name, ReceiverSession session)
    {
        while (!_holders.TryAdd(name, session))
        {
            if (!_holders.TryGetValue(name, out ReceiverSession? holder))
            {
                continue;
            }

            if (holder.SessionId != session.SessionId || ReferenceEquals(holder, session))
            {
                if (!ReferenceEquals(holder, session) && await holder.DrainsWithinAsync(Options.BusyPatience))
                {
                    continue;
                }

                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {name}: session {holder.SessionId} from {holder.PeerHost} is writing it",
                    "Wait for it, or stop it with 'disksync abort' on the host where it runs.");
            }

            ReceiverLog.Takeover(Logger, name, session.SessionId);
            await holder.FenceAsync();
        }
    }

    /// <summary>A source that greets again has lost its older connection: what that one holds is let go, so that a guest can be resumed on it.</summary>
    internal async Task ReplaceAsync(ReceiverSession session)
    {
        foreach (ReceiverSession older in _holders.Values.Distinct().Where(s => s.SessionId == session.SessionId && !ReferenceEquals(s, session)))
        {
            ReceiverLog.Replaced(Logger, session.SessionId);

            // Not longer: one that is in the middle of a hook ends with the hook.
            await Task.WhenAny(older.FenceAsync(), Task.Delay(Options.BusyPatience));
        }
    }

    internal void Release(string name, ReceiverSession session) =>
        _holders.TryRemove(new KeyValuePair<string, ReceiverSession>(name, session));
}
