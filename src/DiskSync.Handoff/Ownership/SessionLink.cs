using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>The link of the hand-over over a session of ours.</summary>
/// <remarks>One request at a time. The session is the caller's; a session made only to resolve an attempt needs no open images.</remarks>
public sealed class SessionLink : IHandOverLink
{
    private static readonly Type[] Standings = [typeof(Owner), typeof(Refused), typeof(AttemptStatus)];
    private readonly SourceSession _session;
    private readonly Func<string, ushort> _indexOf;
    private Task<Message>? _running;

    /// <summary>Speaks over a session.</summary>
    /// <param name="session">The session.</param>
    /// <param name="indexOf">The index under which an image (by its identity at the source) is open in it; only Prepare asks.</param>
    public SessionLink(SourceSession session, Func<string, ushort> indexOf)
    {
        _session = session;
        _indexOf = indexOf;
    }

    /// <inheritdoc/>
    public async Task PrepareAsync(
        Guid attempt, ulong epoch, IReadOnlyList<(string Image, Hash256 Root)> images, string resume, CancellationToken cancellationToken)
    {
        Message answer = await _session.RequestAsync(
            FrameHeader.NoImage,
            new Prepare(attempt, epoch, [.. images.Select(i => new ImageRoot(_indexOf(i.Image), i.Root))], resume),
            [typeof(Prepared), typeof(Refused)],
            cancellationToken);
        switch (answer)
        {
            case Refused refused:
                throw new DiskSyncException(
                    FailureKind.Preflight, $"the destination refused to prepare: {refused.Reason}", "Nothing was handed over.");
            case Prepared prepared when prepared.Attempt == attempt && prepared.Epoch == epoch:
                return;
            default:
                throw WrongAttempt();
        }
    }

    /// <inheritdoc/>
    public Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken)
    {
        // Registered before the question: Running may follow Owner at once.
        _running = _session.Expect<Running>(FrameHeader.NoImage);
        return AskAsync(attempt, new Commit(attempt, epoch), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken)
    {
        Task<Message> waiting = _running ?? throw new DiskSyncException(
            FailureKind.Transport, "this session did not commit the attempt, so it is not told how the guest is", "Run 'disksync owner' again.");
        var running = (Running)await waiting.WaitAsync(cancellationToken);
        return running.Attempt == attempt ? new ResumeReport(running.ExitCode == 0, running.ExitCode, running.Output) : throw WrongAttempt();
    }

    /// <inheritdoc/>
    public Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        AskAsync(attempt, new Refuse(attempt, epoch), cancellationToken);

    /// <inheritdoc/>
    public Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken) =>
        AskAsync(attempt, new QueryAttempt(attempt), cancellationToken);

    private async Task<AttemptStanding> AskAsync(Guid attempt, Message question, CancellationToken cancellationToken)
    {
        Message answer = await _session.RequestAsync(FrameHeader.NoImage, question, Standings, cancellationToken);
        (Guid named, AttemptStanding standing) = answer switch
        {
            Owner owner => (owner.Attempt, new AttemptStanding(AttemptState.Owner, owner.Epoch)),
            Refused refused => (refused.Attempt, new AttemptStanding(AttemptState.Refused, refused.Epoch, refused.Reason)),
            AttemptStatus status => (status.Attempt, new AttemptStanding(status.State, status.Epoch)),
            _ => throw WrongAttempt(),
        };

        // An answer about another attempt must decide nothing.
        return named == attempt ? standing : throw WrongAttempt();
    }

    private static DiskSyncException WrongAttempt() => new(
        FailureKind.Transport, "the destination answered about another attempt than the one it was asked about", "Run 'disksync owner' again.");
}
