using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Bench.Tail;

/// <summary>A destination that knows one hand-over, of which parts are missing, and takes no other part in anything.</summary>
/// <param name="socketPath">Where its export listens.</param>
internal sealed class OneTail(string socketPath) : IHandOverParticipant
{
    /// <inheritdoc/>
    public TailDoor FindTail(Serve offer) => new("image", socketPath, null);

    /// <inheritdoc/>
    public void Guard(string targetName) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task CheckResumeAsync(string resume, CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<Message> PrepareAsync(Prepare request, IReadOnlyDictionary<ushort, ITarget> targets, string peer) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<Message> PrepareTailAsync(PrepareTail request, IReadOnlyDictionary<ushort, ITarget> targets, string peer) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<TailStatus> QueryTailAsync(QueryTail request) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task CommitAsync(Commit request, IReadOnlyDictionary<ushort, ITarget> targets, Func<Message, Task> reply) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<Message> RefuseAsync(Refuse request) => throw new NotSupportedException();

    /// <inheritdoc/>
    public Task<AttemptStatus> QueryAsync(QueryAttempt request) => throw new NotSupportedException();
}
