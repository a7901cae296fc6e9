using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>S of an on-demand tail: serves the frozen images to the destination until that says, durably, that it needs them no more (docs/tail.md).</summary>
/// <remarks>
/// The caller holds the images' locks meanwhile, so that nobody takes back what is being served. It only ever asks; what the
/// answer means is decided by <see cref="SourceHandOver"/>. One tail for an object; not thread safe.
/// </remarks>
/// <param name="handOver">The source's side of the hand-over.</param>
/// <param name="session">Opens a session with the destination.</param>
/// <param name="dial">Connects to the destination, for the parts that it fetches.</param>
/// <param name="options">How it is served.</param>
/// <param name="progress">Where it goes how much is missing.</param>
/// <param name="tell">Told what the user should know.</param>
public sealed class TailService(
    SourceHandOver handOver,
    Func<CancellationToken, Task<SourceSession>> session,
    Func<CancellationToken, Task<ITransport>> dial,
    TailServerOptions options,
    IProgressSink progress,
    Action<string> tell) : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<BlockDeviceExport> _exports = [];
    private List<Task<AttemptStatus>> _serving = [];
    private SourceAttempt? _attempt;
    private SourceSession? _session;
    private long _most;

    /// <summary>Whether it serves.</summary>
    public bool IsServing => _attempt is not null;

    /// <summary>Begins to serve; the destination's machine may be waiting for it already.</summary>
    /// <param name="attempt">The attempt, pinned here.</param>
    /// <param name="frozen">Its images, which nobody writes any more; they stay the caller's, who keeps them until this is disposed.</param>
    /// <param name="granularity">The blocks' size of the hand-over, by which the destination compares what it fetches; null where it is not known: then it does not.</param>
    public void Start(SourceAttempt attempt, IReadOnlyList<IBlockDevice> frozen, int? granularity)
    {
        ArgumentNullException.ThrowIfNull(attempt);
        ArgumentNullException.ThrowIfNull(frozen);
        if (_attempt is not null)
        {
            return;
        }

        _attempt = attempt;
        _exports.AddRange(frozen.Select(image => new BlockDeviceExport(image, Path.GetFileName(image.Name), isReadOnly: true)));
        _serving = [.. _exports.Select((export, place) =>
        {
            TailServer server = new(dial, export, options, tell)
            {
                Hashes = granularity is { } size ? token => FrozenMap.BuildAsync(frozen[place], size, token) : null,
            };
            return Task.Run(() => server.RunAsync(attempt.Id, attempt.Epoch, (ushort)place, _stop.Token));
        })];
    }

    /// <summary>Stays until the destination has all, or says that it needs nothing from here.</summary>
    /// <param name="cancellationToken">Ends the serving; the images stay pinned.</param>
    /// <returns>How the attempt ended.</returns>
    /// <exception cref="DiskSyncException">It was stopped (kind Interrupted).</exception>
    public async Task<HandOverResult> StayAsync(CancellationToken cancellationToken)
    {
        SourceAttempt attempt = _attempt ?? throw new InvalidOperationException("nothing is served");
        TimeSpan pause = Interval;
        bool isOver = false;
        while (true)
        {
            try
            {
                // Where nothing is asked for any more there is news; where those are not yet what they will be, they take their time.
                Task all = Task.WhenAll(_serving);
                await (isOver ? Task.Delay(pause, cancellationToken) : Task.WhenAny(all, Task.Delay(pause, cancellationToken)));
                isOver = all.IsCompleted;
                cancellationToken.ThrowIfCancellationRequested();
                if (_serving.Find(s => s.IsFaulted) is { } failed)
                {
                    await failed;
                }

                _session ??= await session(cancellationToken);
                if (await LookAsync(attempt, _session, cancellationToken))
                {
                    HandOverResult result = await handOver.ResolveAsync(
                        attempt, new SessionHandOverLink(_session), CededWish.Complete, cancellationToken);
                    if (result.State != HandOverState.Pinned)
                    {
                        return result;
                    }
                }

                pause = Interval;
            }
            catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
            {
                throw new DiskSyncException(
                    FailureKind.Interrupted,
                    $"{string.Join(", ", attempt.Images)} moved with epoch {attempt.Epoch}, and parts of it are still only here; they are not served any more, so the machine at the destination waits for them",
                    $"Run the same command again, or 'disksync owner {attempt.Images[0]}': it goes on. Nothing here may be started or removed before that has ended.",
                    exception);
            }
            catch (DiskSyncException exception) when (exception.Kind != FailureKind.OwnershipInDoubt)
            {
                // What is served is dialled by itself; here only the news are missing.
                await DropAsync();
                pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, options.LongestPause.Ticks));
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_serving));
        await DropAsync();
        _exports.ForEach(e => e.Dispose());
        _stop.Dispose();
    }

    /// <returns>Whether the destination says that it needs nothing, or the serving has ended by its word.</returns>
    private async Task<bool> LookAsync(SourceAttempt attempt, SourceSession link, CancellationToken cancellationToken)
    {
        TailStatus status = await link.RequestAsync<TailStatus>(FrameHeader.NoImage, new QueryTail(attempt.Id), cancellationToken);
        if (status.Attempt != attempt.Id)
        {
            throw new TransportLostException($"{link.Peer} was asked about attempt {attempt.Id} and answered about another");
        }

        if (!status.State.IsIncomplete())
        {
            return true;
        }

        if (status.MissingBytes <= long.MaxValue)
        {
            long missing = (long)status.MissingBytes;
            _most = Math.Max(_most, missing);
            progress.Report(new CopyProgress(CopyPhase.Tail) { BytesDone = _most - missing, BytesTotal = _most });
        }

        return false;
    }

    private async Task DropAsync()
    {
        if (_session is { } lost)
        {
            _session = null;
            await lost.DisposeAsync();
        }
    }
}
