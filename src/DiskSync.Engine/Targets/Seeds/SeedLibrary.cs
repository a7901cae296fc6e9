using System.Collections.Concurrent;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets.Seeds;

/// <summary>The sealed images below a root as seeds of a copy: their maps, and an index over all of them.</summary>
/// <remarks>
/// Nothing of it is kept: the index is made of the images' maps when a session asks for the first time, so there is
/// nothing that could be stale or damaged between two runs. A damaged page of a map is unknown and not indexed. Memory:
/// the index (32 MiB at most) and a few pages of each map. Thread safe. Owns the images.
/// </remarks>
internal sealed class SeedLibrary : ISeedLibrary
{
    private const int MaxRemembered = 1 << 16;

    // Places that were promised lately, for the batches that follow the promise. Bounded; what falls out costs a refusal.
    private readonly ConcurrentDictionary<Hash256, SeedPlace> _remembered = new();
    private readonly IReadOnlyList<BaseImage> _images;
    private readonly SeedIndex _index;
    private readonly Hash256 _zeros;

    /// <summary>Indexes images.</summary>
    /// <param name="images">Images of one granularity, each with its map; owned from now on.</param>
    /// <param name="cancellationToken">Stops the indexing.</param>
    public SeedLibrary(IReadOnlyList<BaseImage> images, CancellationToken cancellationToken)
    {
        _images = images;
        _zeros = images.Count == 0 ? Hash256.Unknown : new ZeroHashes(images[0].Map!.Geometry).Whole;
        _index = new SeedIndex(images.Sum(i => Contents(i.Map!, cancellationToken).LongCount()));
        for (int image = 0; image < images.Count; image++)
        {
            foreach ((long block, Hash256 hash) in Contents(images[image].Map!, cancellationToken))
            {
                _index.Add(hash, new SeedPlace(image, block));
            }
        }
    }

    /// <inheritdoc/>
    public long Known => _index.Count;

    /// <inheritdoc/>
    public IReadOnlyList<ushort> Find(IReadOnlyList<Hash256> hashes)
    {
        List<ushort> found = [];
        SeedPlace? near = null;
        for (int i = 0; i < hashes.Count; i++)
        {
            near = Place(hashes[i], near);
            if (near is not null)
            {
                found.Add((ushort)i);
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public bool TryRead(Hash256 hash, Span<byte> content)
    {
        // Whoever asked got its answer from a search that knew the neighbour; this one has to find it alone.
        SeedPlace? found = _remembered.TryGetValue(hash, out SeedPlace promised) && Holds(promised, hash) ? promised : Place(hash, near: null);
        if (found is not { } place)
        {
            return false;
        }

        BaseImage image = _images[place.Image];
        if (image.Map!.Geometry.LengthOf(place.Block) != content.Length)
        {
            return false;
        }

        try
        {
            return image.File.ReadAt(content, image.Map.Geometry.OffsetOf(place.Block)) == content.Length;
        }
        catch (LinuxException)
        {
            // It is sent then; what is wrong with that image is found out by whoever uses it.
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (BaseImage image in _images)
        {
            image.Dispose();
        }
    }

    private SeedPlace? Place(Hash256 hash, SeedPlace? near)
    {
        if (near is { } before && Holds(before with { Block = before.Block + 1 }, hash))
        {
            return Remember(hash, before with { Block = before.Block + 1 });
        }

        foreach (SeedPlace place in _index.Candidates(hash))
        {
            if (Holds(place, hash))
            {
                return Remember(hash, place);
            }
        }

        return null;
    }

    private bool Holds(SeedPlace place, Hash256 hash)
    {
        PagedMap map = _images[place.Image].Map!;
        return place.Block < map.Geometry.BlockCount && map.Get(place.Block) == hash;
    }

    private SeedPlace Remember(Hash256 hash, SeedPlace place)
    {
        if (_remembered.Count >= MaxRemembered)
        {
            _remembered.Clear();
        }

        _remembered[hash] = place;
        return place;
    }

    private IEnumerable<(long Block, Hash256 Hash)> Contents(PagedMap map, CancellationToken cancellationToken)
    {
        long block = 0;
        foreach (HashRun run in map.GetRuns(0, map.Geometry.BlockCount))
        {
            cancellationToken.ThrowIfCancellationRequested();

            // One of a run of equal blocks is enough, and zeros never travel.
            if (!run.Hash.IsUnknown && run.Hash != _zeros)
            {
                yield return (block, run.Hash);
            }

            block += run.Count;
        }
    }
}
