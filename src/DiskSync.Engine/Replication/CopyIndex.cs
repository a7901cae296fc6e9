using System.Collections.Concurrent;
using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>Remembers where the destination holds some recently sent contents, so that a second copy need not travel.</summary>
/// <remarks>
/// Bounded: when it is full it starts again, which loses savings and nothing else. A stale entry is harmless: the
/// destination checks the hash of what it copies and refuses. Thread safe.
/// </remarks>
internal sealed class CopyIndex
{
    private const int MaxEntries = 1 << 16;
    private readonly ConcurrentDictionary<Hash256, long> _blocks = new();
    private int _count;

    /// <summary>Notes that the destination holds a content at a block.</summary>
    public void Add(Hash256 hash, long block)
    {
        if (_blocks.TryAdd(hash, block) && Interlocked.Increment(ref _count) > MaxEntries)
        {
            _blocks.Clear();
            Interlocked.Exchange(ref _count, 0);
        }
    }

    /// <summary>Finds another block that holds the same content at the destination, by what the map says now.</summary>
    public bool TryFind(SendBlock block, ImageContext image, out long source) =>
        _blocks.TryGetValue(block.Hash, out source)
        && source != block.Block
        && image.Geometry.LengthOf(source) == block.Length
        && image.Map.Get(source) == block.Hash;
}
