using DiskSync.Codecs;

namespace DiskSync.Handoff.Ownership;

/// <summary>The source's view of the destination during the hand-over: one request, one answer.</summary>
/// <remarks>
/// Every answer is given after the destination's record is durable. A request that fails with
/// <see cref="DiskSync.Engine.FailureKind.Transport"/> may have arrived or not. Requests are repeatable: a second
/// one for the same attempt finds what the first one did.
/// </remarks>
public interface IHandOverLink
{
    /// <summary>Step 1: the destination flushes, verifies and writes PREPARED for all images of the attempt.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="epoch">N+1.</param>
    /// <param name="images">The source's image identities and the roots their copies must have.</param>
    /// <param name="resume">The resume command or hook's name; empty for none.</param>
    /// <param name="withTail">Whether parts of the copies are missing, which the destination has been told (docs/tail.md); the roots are then those of the copies as they are.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="DiskSync.Engine.DiskSyncException">The destination said no, or the link broke.</exception>
    Task PrepareAsync(
        Guid attempt,
        ulong epoch,
        IReadOnlyList<(string Image, Hash256 Root)> images,
        string resume,
        bool withTail,
        CancellationToken cancellationToken);

    /// <summary>Step 3: the source has ceded; answered when OWNER (or a REFUSED from before) is durable.</summary>
    Task<AttemptStanding> CommitAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken);

    /// <summary>After an answer of Owner: waits until the destination's guest runs, or its resume command failed.</summary>
    Task<ResumeReport> WaitRunningAsync(Guid attempt, CancellationToken cancellationToken);

    /// <summary>Asks for REFUSED; answered with the state that is durable then, which may be another.</summary>
    Task<AttemptStanding> RefuseAsync(Guid attempt, ulong epoch, CancellationToken cancellationToken);

    /// <summary>Asks how the attempt stands; changes nothing.</summary>
    Task<AttemptStanding> QueryAsync(Guid attempt, CancellationToken cancellationToken);
}
