using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>The destination's side of the hand-over behind a receiver's sessions.</summary>
/// <remarks>Thread safe: each session works on its own targets, and the journal and the locks keep sessions apart.</remarks>
public sealed class ReceiverHandOver : IHandOverParticipant
{
    private readonly Func<IDestinationImages, DestinationHandOver> _create;
    private readonly FileTargetProvider _provider;
    private readonly TailDoors _doors;

    /// <summary>Puts the destination's side behind sessions.</summary>
    /// <param name="create">Makes the destination's side over a session's copies.</param>
    /// <param name="provider">Opens and finishes targets.</param>
    /// <param name="doors">Finds the exports of images that still miss parts.</param>
    internal ReceiverHandOver(
        Func<IDestinationImages, DestinationHandOver> create, FileTargetProvider provider, TailDoors doors)
    {
        _create = create;
        _provider = provider;
        _doors = doors;
    }

    /// <summary>Does again whatever a kill has cut off; call it once when the receiver starts.</summary>
    /// <returns>What became of each attempt that was open, a sentence for the log.</returns>
    /// <exception cref="DiskSyncException">The journal is damaged: nothing may be done here.</exception>
    public async Task<IReadOnlyList<string>> RecoverAsync()
    {
        List<string> done = [];
        foreach ((Guid attempt, ResumeReport? report, DiskSyncException? failure) in
            await _create(OnDisk(_provider)).RecoverAtStartAsync())
        {
            done.Add(failure is not null ? $"attempt {attempt}: {failure.Message.TrimEnd('.')}. {failure.Advice}"
                : report is { Running: false } stopped ? $"attempt {attempt}: owned here, but {stopped.Describe()}"
                : $"attempt {attempt}: finished");
        }

        return done;
    }

    /// <inheritdoc/>
    public void Guard(string targetName) =>
        _create(OnDisk(_provider)).GuardTarget(_provider.IdentityOf(targetName));

    /// <inheritdoc/>
    public Task CheckResumeAsync(string resume, CancellationToken cancellationToken) =>
        _create(OnDisk(_provider)).CheckResumeAsync(resume, cancellationToken);

    /// <inheritdoc/>
    public async Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer)
    {
        SessionTargets images = new(_provider, targets);
        await _create(images).PrepareAsync(
            new PrepareRequest(
                request.Attempt,
                request.Epoch,
                [.. request.Images.Select(i => (images.IdentityOf(i.Image), i.Root))],
                request.Resume,
                peer),
            CancellationToken.None);
        return new Prepared(request.Attempt, request.Epoch);
    }

    /// <inheritdoc/>
    public async Task<Message> PrepareTailAsync(PrepareTail request, IReadOnlyDictionary<ushort, ITarget> targets, string peer)
    {
        SessionTargets images = new(_provider, targets);
        await _create(images).PrepareAsync(
            new PrepareRequest(
                request.Attempt,
                request.Epoch,
                [.. request.Images.Select(i => (images.IdentityOf(i.Image), i.Root))],
                request.Resume,
                peer)
            {
                TailSources = [.. request.Images.Select(i => i.Source)],
            },
            CancellationToken.None);
        return new Prepared(request.Attempt, request.Epoch);
    }

    /// <inheritdoc/>
    public async Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply)
    {
        DestinationHandOver side = _create(new SessionTargets(_provider, targets));
        AttemptStanding standing = side.Commit(request.Attempt, request.Epoch);
        await reply(Answer(request.Attempt, standing));
        if (!standing.IsOwner)
        {
            return;
        }

        ResumeReport report;
        try
        {
            report = await side.FinishAsync(request.Attempt);
        }
        catch (DiskSyncException exception)
        {
            // Owned, but not finished: the source must know that its copy is no longer the one, and why nothing runs yet.
            report = new ResumeReport(Running: false, -1, $"{exception.Message.TrimEnd('.')}. {exception.Advice}");
        }

        await reply(new Running(request.Attempt, standing.Epoch, report.ExitCode, Shorten(report.Output)));
    }

    /// <inheritdoc/>
    public Task<Message> RefuseAsync(Refuse request)
    {
        DestinationHandOver side = _create(OnDisk(_provider));
        return Task.FromResult(Answer(request.Attempt, side.Refuse(request.Attempt, "the source called the attempt off")));
    }

    /// <inheritdoc/>
    public TailDoor FindTail(Serve offer) => _doors.Find(offer);

    /// <inheritdoc/>
    public Task<AttemptStatus> QueryAsync(QueryAttempt request)
    {
        AttemptStanding standing =
            _create(OnDisk(_provider)).Query(request.Attempt);
        return Task.FromResult(new AttemptStatus(request.Attempt, standing.State, standing.Epoch));
    }

    /// <inheritdoc/>
    public Task<TailStatus> QueryTailAsync(QueryTail request)
    {
        DestinationHandOver side = _create(OnDisk(_provider));
        AttemptStanding standing = side.Query(request.Attempt);
        return Task.FromResult(new TailStatus(
            request.Attempt, standing.State, standing.Epoch, side.MissingBytes(request.Attempt) is { } missing ? (ulong)missing : ulong.MaxValue));
    }

    /// <summary>Copies that no session has open: what a kill has left, or what an operator resolves.</summary>
    internal static IDestinationImages OnDisk(FileTargetProvider provider) =>
        new SessionTargets(provider, new Dictionary<ushort, ITarget>());

    private static Message Answer(Guid attempt, AttemptStanding standing) => standing.State switch
    {
        AttemptState.Owner or AttemptState.Running => new Owner(attempt, standing.Epoch),
        AttemptState.Refused => new Refused(attempt, standing.Epoch, standing.Reason),
        _ => new AttemptStatus(attempt, standing.State, standing.Epoch),
    };

    private static string Shorten(string text) => text.Length <= 1000 ? text : text[^1000..];
}
