namespace DiskSync.Handoff.Ownership;

/// <summary>Locks that are held, and let go, together.</summary>
internal sealed class HeldLocks : IDisposable
{
    private readonly List<IDisposable> _locks = [];

    /// <summary>Holds one more.</summary>
    public void Add(IDisposable held) => _locks.Add(held);

    /// <inheritdoc/>
    public void Dispose() => _locks.ForEach(l => l.Dispose());
}
