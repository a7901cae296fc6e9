using System.Collections.Concurrent;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
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
    private readonly ConcurrentDictionary<Guid, ReceiverSession> _sessions = new();

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

    /// <summary>What this receiver can do.</summary>
    internal Capability Supported => SourceSession.Supported
        & ~(HandOver is null ? Capability.HandOver | Capability.Tail : Capability.None)
        & ~(Options.MaxConnections == 1 ? Capability.Connections : Capability.None);

    /// <summary>Serves one connection until it has ended.</summary>
    /// <param name="transport">Owned from now on.</param>
    /// <param name="cancellationToken">Stops serving: the source is told, what is staged is made durable.</param>
    /// <exception cref="DiskSyncException">How the session failed; the source has been told where it could be.</exception>
    public async Task ServeAsync(ITransport transport, CancellationToken cancellationToken)
    {
        await using Connection connection = new(transport, Options.Connection);
        using ReceiverLane lane = new(this, connection);
        await lane.RunAsync(cancellationToken);
    }

    /// <summary>Ends the sessions whose source is awaited back; call it when nothing more is accepted.</summary>
    public async Task CloseAsync() =>
        await Task.WhenAll(_sessions.Values.Select(s => s.CloseAsync("the receiver was stopped")));

    /// <summary>Answers a source's greeting with the reason why this side cannot serve it, so that it hears more than a closed connection.</summary>
    /// <param name="transport">Owned from now on.</param>
    /// <param name="failure">Why.</param>
    /// <param name="cancellationToken">Stops waiting for the greeting.</param>
    /// <exception cref="TransportLostException">There is no source to tell.</exception>
    public static async Task TurnAwayAsync(ITransport transport, DiskSyncException failure, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(failure);
        await using Connection connection = new(transport, new ConnectionOptions());
        await connection.OpenAsync(greeting: null, cancellationToken);
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

            if (holder.Id != session.Id || ReferenceEquals(holder, session))
            {
                if (!ReferenceEquals(holder, session))
                {
                    if (holder.IsDeserted)
                    {
                        // Its source may come back, or have been killed; this one is here.
                        await holder.CloseAsync("another session took its place");
                    }

                    if (await holder.EndsWithinAsync(Options.BusyPatience))
                    {
                        continue;
                    }
                }

                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {name}: session {holder.Id} from {holder.PeerHost} is writing it",
                    "Wait for it, or stop it with 'disksync abort' on the host where it runs.");
            }

            ReceiverLog.Takeover(Logger, name, session.Id);
            await holder.FenceAsync();
        }
    }

    /// <summary>Finds the session that a greeting belongs to: its first connection begins it, others join.</summary>
    /// <exception cref="DiskSyncException">It may not join, or there is no such session any more.</exception>
    internal async Task<ReceiverSession> JoinAsync(Hello hello, ReceiverLane lane)
    {
        ReceiverSession? session;
        if (hello.Connection == 0)
        {
            session = new ReceiverSession(this, hello, lane);
            while (!_sessions.TryAdd(hello.SessionId, session))
            {
                await ReplaceAsync(hello.SessionId, lane);
            }
        }
        else if (!Supported.HasFlag(Capability.Connections))
        {
            throw new TransportLostException("several connections per session were not agreed on");
        }
        else if (!_sessions.TryGetValue(hello.SessionId, out session))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"there is no session {hello.SessionId} here that connection {hello.Connection} could join",
                "Run the same command again: it goes on from what is durable.");
        }

        session.Join(lane);
        return session;
    }

    /// <summary>Forgets a session that has closed.</summary>
    internal void Forget(ReceiverSession session) =>
        _sessions.TryRemove(new KeyValuePair<Guid, ReceiverSession>(session.Id, session));

    internal void Release(string name, ReceiverSession session) =>
        _holders.TryRemove(new KeyValuePair<string, ReceiverSession>(name, session));

    // A source that greets anew has lost its older connections: what they hold is let go, so that a guest can be resumed on it.
    private async Task ReplaceAsync(Guid id, ReceiverLane lane)
    {
        if (_sessions.TryGetValue(id, out ReceiverSession? older))
        {
            older.RefuseStranger(lane);
            ReceiverLog.Replaced(Logger, id);

            // Not longer: one that is in the middle of a hook ends with the hook.
            await Task.WhenAny(older.FenceAsync(), Task.Delay(Options.BusyPatience));
            Forget(older);
        }
    }
}
