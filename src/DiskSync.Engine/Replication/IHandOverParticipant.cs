using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>The destination's part in the hand-over of ownership (design section 5); implemented in DiskSync.Handoff.</summary>
/// <remarks>
/// Calls of one session come one at a time. None of them is cancelled when the connection breaks: a step of the
/// hand-over that has begun is finished, whatever the link does.
/// </remarks>
public interface IHandOverParticipant
{
    /// <summary>Whether a session may write this target: not while its staged copy is promised to another attempt.</summary>
    /// <param name="targetName">The target's name below the receiver's root.</param>
    /// <exception cref="DiskSyncException">It may not; the message says why and what next.</exception>
    void Guard(string targetName);

    /// <summary>Whether this host would run what a source wants run to resume the guest, and whether that guest is ready to arrive.</summary>
    /// <param name="resume">A hook's name, or a command where those are allowed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DiskSyncException">It would not, or it is not; the message says why and what next.</exception>
    Task CheckResumeAsync(string resume, CancellationToken cancellationToken);

    /// <summary>Step 1: verify what is staged and make PREPARED durable.</summary>
    /// <returns><see cref="Prepared"/>, or <see cref="Refused"/>.</returns>
    Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer);

    /// <summary>The same for images of which blocks are missing, as each target's store knows.</summary>
    /// <returns><see cref="Prepared"/>, or <see cref="Refused"/>.</returns>
    Task<Message> PrepareTailAsync(PrepareTail request, IReadOnlyDictionary<ushort, ITarget> targets, string peer);

    /// <summary>Step 3: make OWNER durable, finish the images, resume the guest.</summary>
    /// <param name="request">The source's Commit.</param>
    /// <param name="targets">The open targets; closed by the call where the attempt becomes owner. Empty on a new connection.</param>
    /// <param name="reply">Sends <see cref="Owner"/> and later <see cref="Running"/>, or <see cref="Refused"/>; it does not fail when the link is gone.</param>
    Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply);

    /// <summary>Makes REFUSED durable, unless the attempt is owned.</summary>
    /// <returns><see cref="Refused"/>, or <see cref="Owner"/> where the attempt is owned.</returns>
    Task<Message> RefuseAsync(Refuse request);

    /// <summary>Finds the export that takes what a source offers to serve (docs/tail.md).</summary>
    /// <param name="offer">The offer.</param>
    /// <exception cref="DiskSyncException">No image was handed over so.</exception>
    TailDoor FindTail(Serve offer);

    /// <summary>How the attempt stands.</summary>
    Task<AttemptStatus> QueryAsync(QueryAttempt request);

    /// <summary>How the attempt stands, and how much of its images is missing.</summary>
    Task<TailStatus> QueryTailAsync(QueryTail request);
}
