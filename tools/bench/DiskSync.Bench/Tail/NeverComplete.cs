using DiskSync.Engine.Tail;

namespace DiskSync.Bench.Tail;

/// <summary>Nothing is recorded: the bench ends before the image is whole, or fetches no further.</summary>
internal sealed class NeverComplete : ITailCompletion
{
    /// <inheritdoc/>
    public bool TryComplete() => true;
}
