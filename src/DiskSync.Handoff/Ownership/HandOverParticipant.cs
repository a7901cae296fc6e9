using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Ownership;

/// <summary>The destination's part as a receiver session speaks it: messages in, durable records, messages out.</summary>
/// <remarks>Thread safe: each call works on its own objects; the journal keeps calls of several sessions apart.</remarks>
public sealed class HandOverParticipant : IHandOverParticipant
{
    private static readonly Dictionary<string, ITarget> NoTargets = [];
    private readonly Func<IReadOnlyDictionary<string, ITarget>, Guid, DestinationHandOver> _handOver;
    private readonly Func<ITarget, string> _identify;

    /// <summary>Puts it over a maker of destinations.</summary>
    /// <param name="handOver">Makes the destination's side for one call: open targets by image identity (see <see cref="TargetImages"/>), and the attempt.</param>
    /// <param name="identify">The identity of the image that a target becomes: its full canonical path, or a device's stable id.</param>
    public HandOverParticipant(
        Func<IReadOnlyDictionary<string, ITarget>, Guid, DestinationHandOver> handOver, Func<ITarget, string> identify)
    {
        _handOver = handOver;
        _identify = identify;
    }

    /// <inheritdoc/>
    /// <exception cref="DiskSyncException">Nothing was promised; the message says why.</exception>
    public async Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer)
    {
        ArgumentNullException.ThrowIfNull(request);
        List<(string, Codecs.Hash256)> images = [];
        foreach (ImageRoot image in request.Images)
        {
            images.Add(targets.TryGetValue(image.Image, out ITarget? target)
                ? (_identify(target), image.Root)
                : throw new DiskSyncException(
                    FailureKind.Transport, $"destination: a Prepare for image {image.Image}, which is not open", "The source does not keep to the protocol."));
        }

        DestinationHandOver handOver = _handOver(Named(targets), request.Attempt);
        await handOver.PrepareAsync(new PrepareRequest(request.Attempt, request.Epoch, images, request.Resume, peer), CancellationToken.None);
        return new Prepared(request.Attempt, request.Epoch);
    }

    /// <inheritdoc/>
    public async Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(reply);
        DestinationHandOver handOver = _handOver(Named(targets), request.Attempt);
        AttemptStanding standing = handOver.Commit(request.Attempt, request.Epoch);
        await reply(Answer(request.Attempt, standing));
        if (!standing.IsOwner)
        {
            return;
        }

        ResumeReport resume;
        try
        {
            resume = await handOver.FinishAsync(request.Attempt);
        }
        catch (DiskSyncException e)
        {
            // OWNER stands. The source hears why the guest does not run yet; the next start of a receiver tries again.
            resume = new ResumeReport(Running: false, -1, $"{e.Message} {e.Advice}");
        }

        int code = resume.Running ? 0 : resume.ExitCode == 0 ? -1 : resume.ExitCode;
        await reply(new Running(request.Attempt, standing.Epoch, code, resume.Output));
    }

    /// <inheritdoc/>
    public Task<Message> RefuseAsync(Refuse request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return Task.FromResult(Answer(request.Attempt, _handOver(NoTargets, request.Attempt).Refuse(request.Attempt, "the source asked for it")));
    }

    /// <inheritdoc/>
    public Task<AttemptStatus> QueryAsync(QueryAttempt request)
    {
        ArgumentNullException.ThrowIfNull(request);
        AttemptStanding standing = _handOver(NoTargets, request.Attempt).Query(request.Attempt);
        return Task.FromResult(new AttemptStatus(request.Attempt, standing.State, standing.Epoch));
    }

    // Owner and Refused have messages of their own; anything else (unknown, handed back) is told as it is.
    private static Message Answer(Guid attempt, AttemptStanding standing) => standing switch
    {
        { IsOwner: true } => new Owner(attempt, standing.Epoch),
        { State: AttemptState.Refused } => new Refused(attempt, standing.Epoch, standing.Reason),
        _ => new AttemptStatus(attempt, standing.State, standing.Epoch),
    };

    private Dictionary<string, ITarget> Named(IReadOnlyDictionary<ushort, ITarget> targets) =>
        targets.Values.ToDictionary(_identify, t => t, StringComparer.Ordinal);
}
