using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>A destination that lives, answers pings, and never ends the step it is told to be stuck in.</summary>
/// <param name="inner">The real one.</param>
internal sealed class StuckDestination(IHandOverParticipant inner) : IHandOverParticipant
{
    private readonly TaskCompletionSource _never = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets whatever is stuck go on, so that the session can end.</summary>
    public void LetGo() => _never.TrySetResult();

    public void Guard(string targetName) => inner.Guard(targetName);

    public void CheckResume(string resume) => inner.CheckResume(resume);

    public async Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer)
    {
        await _never.Task;
        return await inner.PrepareAsync(request, targets, peer);
    }

    public Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply) =>
        inner.CommitAsync(request, targets, reply);

    public Task<Message> RefuseAsync(Refuse request) => inner.RefuseAsync(request);

    public Task<AttemptStatus> QueryAsync(QueryAttempt request) => inner.QueryAsync(request);
}
