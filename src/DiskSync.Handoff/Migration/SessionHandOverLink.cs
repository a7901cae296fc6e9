using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>The hand-over's requests over a session.</summary>
/// <remarks>A link over a session that has no images open (a new connection after a failure) can do all but Prepare.</remarks>
public sealed class SessionHandOverLink : IHandOverLink
{
    private readonly SourceSession _session;
    private Task<Message>? _running;

    /// <summary>Speaks over a session, which stays its opener's.</summary>
    public SessionHandOverLink(SourceSession session) => _session = session;

    /// <inheritdoc/>
    public async Task PrepareAsync(
        Guid attempt,
        ulong epoch,
        IReadOnlyList<(string Image, Hash256 Root)> images,
        string resume,
        bool withTail,
        CancellationToken cancellationToken)
    {
        // The images' indices in the session are their places in the attempt.
        Message request = withTail
            ? new PrepareTail(attempt, epoch, [.. images.Select((image, i) => new TailImage((ushort)i, image.Root, image.Image))], resume)
            : new Prepare(attempt, epoch, [.. images.Select((image, i) => new ImageRoot((ushort)i, image.Root))], resume);
        Message answer = await _session.RequestAsync(
            FrameHeader.NoImage, request, [typeof(Prepared), typeof(Refused)], cancellationToken);
        if (answer is Refused refused)
        {
            throw new Engine.DiskSyncException(
                Engine.FailureKind.Destination,
                $"destination refused the hand-over: {refused.Reason}",
                "Nothing was handed over. Look at the destination's log, then run the migrate again.");
        }

        var prepared = (Prepared)answer;
        if (prepared.Attempt != attempt || prepared.Epoch != epoch)
        {
            throw WrongAttempt(attempt);
        }
    }

    /// <inheritdoc/>
    public async Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken)
    {
        // Running may follow Owner at once, so somebody must be waiting for it before Commit is sent.
        _running = _session.Expect<Running>(FrameHeader.NoImage);
        return await AskAsync(attempt, new Commit(attempt, epoch), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken)
    {
        Running running = (Running)await (_running ?? _session.Expect<Running>(FrameHeader.NoImage)).WaitAsync(cancellationToken);
        return running.Attempt != attempt ? throw WrongAttempt(attempt) : new ResumeReport(running.ExitCode == 0, running.ExitCode, running.Output);
    }

    /// <inheritdoc/>
    public Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        AskAsync(attempt, new Refuse(attempt, epoch), cancellationToken);

    /// <inheritdoc/>
    public async Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken)
    {
        AttemptStatus status = await _session.RequestAsync<AttemptStatus>(
            FrameHeader.NoImage, new QueryAttempt(attempt), cancellationToken);
        return status.Attempt == attempt ? new AttemptStanding(status.State, status.Epoch) : throw WrongAttempt(attempt);
    }

    private async Task<AttemptStanding> AskAsync(Guid attempt, Message request, CancellationToken cancellationToken)
    {
        Message answer = await _session.RequestAsync(
            FrameHeader.NoImage, request, [typeof(Owner), typeof(Refused), typeof(AttemptStatus)], cancellationToken);
        (Guid named, AttemptStanding standing) = answer switch
        {
            Owner owner => (owner.Attempt, new AttemptStanding(AttemptState.Owner, owner.Epoch)),
            Refused refused => (refused.Attempt, new AttemptStanding(AttemptState.Refused, refused.Epoch, refused.Reason)),
            AttemptStatus status => (status.Attempt, new AttemptStanding(status.State, status.Epoch)),
            _ => throw new TransportLostException($"{_session.Peer} answered {request.GetType().Name} with {answer.GetType().Name}"),
        };

        // An answer about another attempt must decide nothing about this one.
        return named == attempt ? standing : throw WrongAttempt(attempt);
    }

    private TransportLostException WrongAttempt(Guid attempt) =>
        new($"{_session.Peer} was asked about attempt {attempt} and answered about another");
}
