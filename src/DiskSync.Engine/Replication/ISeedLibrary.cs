using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>Contents that a destination holds already, in whatever image: what it has need not travel.</summary>
/// <remarks>
/// Thread safe. What it says comes from maps, and the images may have changed since: whoever takes content from it hashes
/// it before it is used.
/// </remarks>
public interface ISeedLibrary : IDisposable
{
    /// <summary>How many blocks it knows of.</summary>
    long Known { get; }

    /// <summary>Looks for contents.</summary>
    /// <param name="hashes">Hashes of blocks; neighbours of one image are found best one after the other.</param>
    /// <returns>The places in <paramref name="hashes"/> of those that are there, ascending.</returns>
    IReadOnlyList<ushort> Find(IReadOnlyList<Hash256> hashes);

    /// <summary>Reads a content.</summary>
    /// <param name="hash">Its hash.</param>
    /// <param name="content">As long as the block.</param>
    /// <returns>False where it is not there or cannot be read; else what was read, which may be something else by now.</returns>
    bool TryRead(Hash256 hash, Span<byte> content);
}
