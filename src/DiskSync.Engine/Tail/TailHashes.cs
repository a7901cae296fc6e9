using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tail;

/// <summary>The block map of a source's frozen image, which may come after some of it was fetched: what was fetched before is compared when it comes.</summary>
/// <remarks>
/// Thread safe. Compared is what was read from the source, not what is in the image, which the guest may have written since. What is
/// remembered until then is 32 bytes a block, for so many blocks as keep it below some 100 MB; the rest is never compared.
/// </remarks>
/// <param name="geometry">How the image is cut into blocks.</param>
/// <param name="root">The frozen image's root where the hand-over knew it; unknown otherwise.</param>
public sealed class TailHashes(BlockGeometry geometry, Hash256 root) : ITailHashes, IDisposable
{
    private const int MostRemembered = 1 << 20;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, Hash256> _fetched = [];
    private PagedMap? _map;

    /// <inheritdoc/>
    public BlockGeometry Geometry => geometry;

    /// <summary>Whether the map has come.</summary>
    public bool IsKnown
    {
        get
        {
            lock (_gate)
            {
                return _map is not null;
            }
        }
    }

    /// <inheritdoc/>
    public bool Accept(long block, Hash256 hash)
    {
        lock (_gate)
        {
            if (_map is not null)
            {
                return _map.Get(block) is var expected && (expected.IsUnknown || expected == hash);
            }

            if (_fetched.Count < MostRemembered || _fetched.ContainsKey(block))
            {
                _fetched[block] = hash;
            }

            return true;
        }
    }

    /// <summary>Takes the map, and compares what was fetched before.</summary>
    /// <param name="path">The map's file (Formats/BlockMap/FORMAT.md).</param>
    /// <returns>The blocks of which something else was fetched than the source held.</returns>
    /// <exception cref="DiskSyncException">It is damaged, or not of this image; nothing of it is believed.</exception>
    public IReadOnlyList<long> Load(string path)
    {
        PagedMap map = Read(path);
        lock (_gate)
        {
            _map?.Dispose();
            _map = map;
            long[] wrong = [.. _fetched.Where(f => map.Get(f.Key) is var expected && !expected.IsUnknown && expected != f.Value).Select(f => f.Key).Order()];
            _fetched.Clear();
            return wrong;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _map?.Dispose();

    private PagedMap Read(string path)
    {
        using BlockMapFile file = BlockMapFile.Open(path);
        if (file.Geometry != geometry)
        {
            throw new DiskSyncException(
                FailureKind.Source,
                $"source {path}: the map of {file.Geometry.Length} bytes in blocks of {file.Geometry.Granularity} is not of this image",
                "Nothing is compared with it.");
        }

        PagedMap map = PagedMap.CreateTemporary(geometry, defaultIsZero: false);
        try
        {
            long block = 0;
            while (file.TryRead(out MapRun run))
            {
                map.SetRun(block, run.Count, run.Hash);
                block += run.Count;
            }

            // Only now is it proven.
            return root.IsUnknown || file.Root == root
                ? map
                : throw new DiskSyncException(
                    FailureKind.Source, $"source {path}: the map has the root {file.Root}, and {root} was handed over", "Nothing is compared with it.");
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }
}
