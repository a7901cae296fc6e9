using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>A link that may lose COMMIT and everything after it.</summary>
public sealed class CutLink(IHandOverLink inner, bool cutCommit) : IHandOverLink
{
    public Task PrepareAsync(
        Guid attempt, ulong epoch, IReadOnlyList<(string Image, Hash256 Root)> images, string resume, bool withTail, CancellationToken cancellationToken) =>
        inner.PrepareAsync(attempt, epoch, images, resume, withTail, cancellationToken);

    public Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        cutCommit ? throw new DiskSyncException(FailureKind.Transport, "the link is cut") : inner.CommitAsync(attempt, epoch, cancellationToken);

    public Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken) => inner.WaitRunningAsync(attempt, cancellationToken);

    public Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        inner.RefuseAsync(attempt, epoch, cancellationToken);

    public Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken) => inner.QueryAsync(attempt, cancellationToken);
}
