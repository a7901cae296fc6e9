using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>A link that keeps Prepare within the accepted downtime, and notes how long the destination's guest took to run.</summary>
/// <param name="inner">The link.</param>
/// <param name="budget">Ends Prepare; what follows it may be past the point of no return and has no such end.</param>
internal sealed class SwitchoverLink(IHandOverLink inner, CancellationToken budget) : IHandOverLink
{
    /// <summary>From OWNER until the resume command had ended.</summary>
    public TimeSpan Resume { get; private set; }

    public async Task PrepareAsync(
        Guid attempt,
        ulong epoch,
        IReadOnlyList<(string Image, Hash256 Root)> images,
        string resume,
        bool withTail,
        CancellationToken cancellationToken)
    {
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(budget, cancellationToken);
        await inner.PrepareAsync(attempt, epoch, images, resume, withTail, both.Token);
    }

    public Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        inner.CommitAsync(attempt, epoch, cancellationToken);

    public async Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        ResumeReport report = await inner.WaitRunningAsync(attempt, cancellationToken);
        Resume = Stopwatch.GetElapsedTime(start);
        return report;
    }

    public Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken) =>
        inner.RefuseAsync(attempt, epoch, cancellationToken);

    public Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken) =>
        inner.QueryAsync(attempt, cancellationToken);
}
