using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Handoff.Tests.Migration;

/// <summary>A destination that does what the real one does, and lets a test in between its steps.</summary>
/// <param name="inner">The real one.</param>
internal sealed class WatchedDestination(IHandOverParticipant inner) : IHandOverParticipant
{
    private readonly TaskCompletionSource _guarded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a session has asked for the first time whether it may write its target.</summary>
    public Task Guarded => _guarded.Task;

    /// <summary>What happens before PREPARED is written; a task that never ends is a destination that is stuck.</summary>
    public Func<Task> BeforePrepare { get; init; } = () => Task.CompletedTask;

    /// <summary>What happens after PREPARED is written, before the source hears of it.</summary>
    public Action AfterPrepare { get; init; } = () => { };

    public void Guard(string targetName)
    {
        inner.Guard(targetName);
        _guarded.TrySetResult();
    }

    public Task CheckResumeAsync(string resume, CancellationToken cancellationToken) => inner.CheckResumeAsync(resume, cancellationToken);

    public async Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer)
    {
        await BeforePrepare();
        Message answer = await inner.PrepareAsync(request, targets, peer);
        AfterPrepare();
        return answer;
    }

    public async Task<Message> PrepareTailAsync(PrepareTail request, IReadOnlyDictionary<ushort, ITarget> targets, string peer)
    {
        await BeforePrepare();
        Message answer = await inner.PrepareTailAsync(request, targets, peer);
        AfterPrepare();
        return answer;
    }

    public Task<TailStatus> QueryTailAsync(QueryTail request) => inner.QueryTailAsync(request);

    public Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply) =>
        inner.CommitAsync(request, targets, reply);

    public Task<Message> RefuseAsync(Refuse request) => inner.RefuseAsync(request);

    public TailDoor FindTail(Serve offer) => inner.FindTail(offer);

    public Task<AttemptStatus> QueryAsync(QueryAttempt request) => inner.QueryAsync(request);
}
