using DiskSync.Engine.Tail;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A frozen source in memory that answers at once, on the caller's thread.</summary>
/// <param name="content">What it holds.</param>
public sealed class MemoryTailSource(byte[] content) : ITailSource
{
    /// <summary>Whether there is no link any more.</summary>
    public bool IsGone { get; set; }

    /// <inheritdoc/>
    public Task ReadAsync(long offset, Memory<byte> buffer, bool isUrgent, CancellationToken cancellation)
    {
        if (IsGone)
        {
            throw new InvalidOperationException("the source was asked for what should be there");
        }

        content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task WaitForLinkAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        // It is memory.
    }
}
