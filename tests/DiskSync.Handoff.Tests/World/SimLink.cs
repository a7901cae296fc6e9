using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.World;

/// <summary>The link as the source sees it: each message may be lost on its way there or on its way back.</summary>
public sealed class SimLink(SimProcess source, SimHost destinationHost, SimProcess destination) : IHandOverLink
{
    private readonly SimWorld _world = destinationHost.World;
    private ResumeReport? _running;

    public async Task PrepareAsync(
        Guid attempt, ulong epoch, IReadOnlyList<(string Image, Hash256 Root)> images, string resume, bool withTail, CancellationToken cancellationToken) =>
        _ = await Send("Prepare", async () =>
        {
            await destination.Destination.PrepareAsync(new PrepareRequest(attempt, epoch, images, resume, "S")
            {
                TailSources = withTail ? [.. images.Select(i => i.Image)] : null,
            }, cancellationToken);
            return 0;
        });

    public Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) => Send("Commit", async () =>
    {
        AttemptStanding standing = destination.Destination.Commit(attempt, epoch);

        // The answer is on its way; what D does after it goes on whatever the link does.
        try
        {
            _running = await destination.Destination.FinishAsync(attempt);
        }
        catch (SimKilledException)
        {
        }
        catch (DiskSyncException)
        {
        }

        return standing;
    });

    public Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken) => Send(
        "Running", () => Task.FromResult(_running ?? throw new DiskSyncException(FailureKind.Transport, "the session ended")));

    public Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        Send("Refuse", () => Task.FromResult(destination.Destination.Refuse(attempt, "the source asked")));

    public Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken) =>
        Send("Query", () => Task.FromResult(destination.Destination.Query(attempt)));

    private async Task<T> Send<T>(string message, Func<Task<T>> deliver)
    {
        source.Step($"before {message} is sent");
        int number = _world.Messages++;
        bool loseRequest = _world.Cut == new LinkCut(number, false) || _world.LinkBreaks();
        bool loseAnswer = _world.Cut == new LinkCut(number, true) || _world.LinkBreaks();
        if (!_world.LinkUp || loseRequest || !destinationHost.Up)
        {
            _world.LinkUp &= !loseRequest;
            throw new DiskSyncException(FailureKind.Transport, $"{message}: the link is down");
        }

        T answer;
        try
        {
            answer = await deliver();
        }
        catch (SimKilledException)
        {
            throw new DiskSyncException(FailureKind.Transport, $"{message}: the destination closed the link");
        }

        if (loseAnswer)
        {
            _world.LinkUp = false;
            throw new DiskSyncException(FailureKind.Transport, $"{message}: the answer was lost");
        }

        source.Step($"{message} is answered");
        return answer;
    }
}
