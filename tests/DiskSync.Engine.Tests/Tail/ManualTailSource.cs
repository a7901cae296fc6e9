using DiskSync.Engine.Tail;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>A frozen source in memory whose answers a test holds back, refuses or loses.</summary>
internal sealed class ManualTailSource(byte[] content) : ITailSource
{
    private readonly Lock _gate = new();
    private readonly List<(long Offset, int Length, bool IsUrgent)> _requests = [];
    private TaskCompletionSource _open = Opened();
    private TaskCompletionSource _link = Opened();

    /// <summary>What was asked for, in order.</summary>
    public IReadOnlyList<(long Offset, int Length, bool IsUrgent)> Requests
    {
        get
        {
            lock (_gate)
            {
                return [.. _requests];
            }
        }
    }

    /// <summary>A range that it cannot read.</summary>
    public (long Offset, long Length)? Bad { get; set; }

    /// <summary>Whether it sends something else than it holds.</summary>
    public bool Lies { get; set; }

    public void Hold() => _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _open.TrySetResult();

    public void LoseLink() => _link = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void RestoreLink() => _link.TrySetResult();

    public async Task ReadAsync(long offset, Memory<byte> buffer, bool isUrgent, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _requests.Add((offset, buffer.Length, isUrgent));
        }

        if (!_link.Task.IsCompleted)
        {
            throw new TailLinkException("the link is down");
        }

        await _open.Task.WaitAsync(cancellation);
        if (Bad is { } bad && offset < bad.Offset + bad.Length && offset + buffer.Length > bad.Offset)
        {
            throw new TailSourceException($"a bad sector at {bad.Offset}");
        }

        content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        if (Lies)
        {
            buffer.Span[0] ^= 1;
        }
    }

    public Task WaitForLinkAsync(CancellationToken cancellation) => _link.Task.WaitAsync(cancellation);

    public void Dispose()
    {
        // It is memory.
    }

    private static TaskCompletionSource Opened()
    {
        TaskCompletionSource open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        open.SetResult();
        return open;
    }
}
