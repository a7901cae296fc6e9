using DiskSync.Codecs;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using WireProgress = DiskSync.Formats.Wire.Messages.Progress;

namespace DiskSync.Engine.Replication;

/// <summary>The source's end of a session, over one connection or several that come and go.</summary>
/// <remarks>
/// Thread safe. Requests go over the oldest living connection, batches over the one that will be done first. Where more
/// connections can be had, the loss of one costs the batches that were on it a second journey, after the destination
/// has said that nothing of the first is written any more (safety rule 2); where none can be had, it ends the session.
/// Owns its connections.
/// </remarks>
public sealed class SourceSession : IAsyncDisposable
{
    /// <summary>What this version can do.</summary>
    public static Capability Supported { get; } =
        Capability.Lz4 | Capability.Patch | Capability.Copy | Capability.HandOver | Capability.Connections | Capability.Seed
        | Capability.CheckImage | Capability.Tail | Capability.KeepRounds | (Zstd.IsAvailable ? Capability.Zstd : Capability.None);

    private readonly LanePool _lanes;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _nextBatch;

    private SourceSession(LanePool lanes)
    {
        _lanes = lanes;
        _ = _lanes.Failed.ContinueWith(
            reason =>
            {
                _failed.TrySetException(reason.Result);
                _ = _failed.Task.Exception;
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>The destination's answer to the handshake.</summary>
    public Welcome Welcome => _lanes.First.Welcome;

    /// <summary>What both sides can do.</summary>
    public Capability Capabilities => (Capability)Welcome.Capabilities;

    /// <summary>Bytes sent to the destination over all connections, everything included.</summary>
    public long BytesSent => _lanes.BytesSent;

    /// <summary>Bytes received from the destination over all connections, everything included.</summary>
    public long BytesReceived => _lanes.BytesReceived;

    /// <summary>The destination, for messages.</summary>
    public string Peer => _lanes.First.Peer;

    /// <summary>How many connections are alive.</summary>
    public int Connections => _lanes.Count;

    /// <summary>The most connections that were alive at once.</summary>
    public int MostConnections => _lanes.MostAtOnce;

    /// <summary>How many connections were lost and their batches sent again.</summary>
    public int LostConnections => _lanes.Lost;

    /// <summary>Fails when the session has failed for good; never completes otherwise.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Handshakes over a transport.</summary>
    /// <param name="transport">Owned from now on, also when the handshake fails.</param>
    /// <param name="sessionId">Names the session; a reconnect carries the same id.</param>
    /// <param name="options">Time limits.</param>
    /// <param name="onProgress">Called with the destination's progress, from the receiving thread.</param>
    /// <param name="cancellationToken">Ends the handshake.</param>
    /// <param name="more">Where further connections come from; null for a session of one, whose loss is its end.</param>
    public static async Task<SourceSession> ConnectAsync(
        ITransport transport,
        Guid sessionId,
        ConnectionOptions options,
        Action<ushort, WireProgress>? onProgress,
        CancellationToken cancellationToken,
        MoreConnections? more = null)
    {
        LaneOpener opener = new(sessionId, options, onProgress, more);
        SourceLane first = await opener.OpenAsync(transport, cancellationToken);
        return new SourceSession(new LanePool(opener, first));
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <typeparam name="TReply">The kind of the answer.</typeparam>
    /// <exception cref="DiskSyncException">The connection failed, or the destination gave up.</exception>
    public async Task<TReply> RequestAsync<TReply>(ushort image, Message request, CancellationToken cancellationToken)
        where TReply : Message =>
        (TReply)await RequestAsync(image, request, [typeof(TReply)], cancellationToken);

    /// <summary>Sends a request that has several possible answers and waits for one of them.</summary>
    /// <remarks>At most one such request with the same kinds may be pending for an image.</remarks>
    public async Task<Message> RequestAsync(
        ushort image, Message request, IReadOnlyList<Type> replies, CancellationToken cancellationToken)
    {
        while (true)
        {
            SourceLane lane = _lanes.ForRequests();
            try
            {
                return await lane.RequestAsync(image, request, replies, cancellationToken);
            }
            catch (TransportLostException) when (IsRepeatable(request) && lane.HasFailed && _lanes.CanRecover)
            {
                await _lanes.RecoverAsync(lane, cancellationToken);
            }
        }
    }

    /// <summary>Waits for a message that the destination sends without being asked (Running after Owner).</summary>
    public Task<Message> Expect<TReply>(ushort image)
        where TReply : Message => _lanes.ForRequests().Expect(image, [typeof(TReply)]);

    /// <summary>Sends a batch over whichever connection suits, again where that one is lost, and waits for its ack.</summary>
    /// <param name="image">The image's index.</param>
    /// <param name="batch">The batch; it gets its number here.</param>
    /// <param name="cancellationToken">Stops waiting; what became of the batch is not known then.</param>
    /// <returns>The ack, and the length of the frame in bytes.</returns>
    /// <exception cref="DiskSyncException">The session has failed.</exception>
    public async Task<(BatchAck Ack, int WireBytes)> SendBatchAsync(
        ushort image, BlocksWriter batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            long bytes = batch.BodyLength;
            SourceLane lane = await _lanes.TakeAsync(bytes, cancellationToken);
            bool arrived = false;
            try
            {
                ulong number = Interlocked.Increment(ref _nextBatch);
                batch.Renumber(number);
                (BatchAck Ack, int WireBytes) answer = await lane.SendBatchAsync(image, batch, number, cancellationToken);
                arrived = true;
                return answer;
            }
            catch (TransportLostException) when (lane.HasFailed && _lanes.CanRecover)
            {
                // The frame is as it was, and applying it twice does no harm: its content is what it says.
                await _lanes.RecoverAsync(lane, cancellationToken);
            }
            finally
            {
                _lanes.Return(lane, bytes, arrived);
            }
        }
    }

    /// <summary>Takes note that a sender has waited because all that may be on its way was on its way.</summary>
    public void NoteWaited(TimeSpan elapsed) => _lanes.NoteWaited(elapsed);

    /// <summary>Ends the session: nothing was left undone (safety rule 5).</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await _lanes.EndOthersAsync(cancellationToken);
        await RequestAsync<EndAck>(FrameHeader.NoImage, new End(0), cancellationToken);
    }

    /// <summary>Tells the destination why this side gives up, where it does not know it already; best effort.</summary>
    /// <param name="failure">What ended the work on this side.</param>
    public Task TellPeerAsync(Exception failure) => failure switch
    {
        TransportLostException or PeerAbortedException => Task.CompletedTask,
        DiskSyncException known => AbortAsync(known.Kind, known.Message, known.Advice),
        OperationCanceledException => AbortAsync(
            FailureKind.Interrupted, "the source was stopped by its user", "What is durable is kept for the next run."),
        _ => AbortAsync(FailureKind.Source, $"bug in the source: {failure.Message}", string.Empty),
    };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _lanes.DisposeAsync();

    // What changes nothing, or nothing that a second time would change differently.
    private static bool IsRepeatable(Message request) =>
        request is ListBases or MapRequest or SubHashRequest or SeedRequest or Checkpoint or Verify or CheckResume or KeepRound;

    private Task AbortAsync(FailureKind kind, string message, string advice) => _lanes.AbortAsync(
        new Abort(PeerAbortedException.CodeOf(kind), false, string.Empty, -1, message, advice));
}
