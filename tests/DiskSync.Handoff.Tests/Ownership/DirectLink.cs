using DiskSync.Codecs;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>A link without a network: calls the destination at once.</summary>
public sealed class DirectLink(RealHost to) : IHandOverLink
{
    private ResumeReport _running;

    public Task PrepareAsync(
        Guid attempt, ulong epoch, IReadOnlyList<(string Image, Hash256 Root)> images, string resume, bool withTail, CancellationToken cancellationToken) =>
        to.Destination.PrepareAsync(
            new PrepareRequest(attempt, epoch, [.. images.Select(i => (to.ImageOf(Path.GetFileName(i.Image)), i.Root))], resume, "source")
            {
                TailSources = withTail ? [.. images.Select(i => i.Image)] : null,
            },
            cancellationToken);

    public async Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken)
    {
        AttemptStanding standing = to.Destination.Commit(attempt, epoch);
        _running = await to.Destination.FinishAsync(attempt);
        return standing;
    }

    public Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken) => Task.FromResult(_running);

    public Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        Task.FromResult(to.Destination.Refuse(attempt, "asked"));

    public Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken) => Task.FromResult(to.Destination.Query(attempt));
}
