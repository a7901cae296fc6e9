using System.Collections.Concurrent;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>The images below a root that a copy could start from: whatever is sealed and has a map.</summary>
/// <remarks>
/// A seal is believed only while the file's device, inode, size, modification and change time are those that it
/// records (safety rule 7): an image that was opened for writing since has to be hashed again. Even then its map only
/// decides what is sent; whatever the copy takes over is read back before it is sealed in turn. Thread safe.
/// </remarks>
/// <param name="root">The receiver's root, open; stays its opener's.</param>
internal sealed class BaseCatalog(LinuxFile root)
{
    // A catalogue is made by looking, so it must end in a folder of any size.
    private const int MaxSeals = 4096;

    // Of each of many maps; what is looked at once, in order, needs no more.
    private const int SeedPages = 16;

    // Where each was that has been offered: the image a peer asks about may lie deeper than the catalogue looks.
    private readonly ConcurrentDictionary<Hash256, string> _offered = new();

    /// <summary>The bases that fit a granularity; what stands at the target's name first, then what was handed over from there, the newest first.</summary>
    public IReadOnlyList<BaseOffer> List(ListBases request)
    {
        List<BaseOffer> offers = [];
        foreach (string name in CededOf(request.Name).Concat(SealedNames()).Prepend(request.Name).Distinct(StringComparer.Ordinal))
        {
            if (offers.Count == WireLimits.MaxBases)
            {
                break;
            }

            if (Look(name, (int)request.Granularity) is { } offer)
            {
                offers.Add(offer);
            }
        }

        return offers;
    }

    /// <summary>The map of the base with a root, or null where none has it any more.</summary>
    public PagedMap? OpenMap(Hash256 baseRoot, int granularity)
    {
        List<string> names = SealedNames();
        if (_offered.TryGetValue(baseRoot, out string? offered))
        {
            names.Insert(0, offered);
        }

        foreach (string name in names)
        {
            using TargetPaths? paths = TryPaths(name);
            if (paths is not null && TrustedSeal(paths, granularity)?.Root == baseRoot)
            {
                return LoadMap(paths, baseRoot);
            }
        }

        return null;
    }

    /// <summary>The map of an image whose seal still fits, else null.</summary>
    public static PagedMap? OpenTrustedMap(TargetPaths paths, int granularity) =>
        TrustedSeal(paths, granularity) is { } seal ? LoadMap(paths, seal.Root) : null;

    /// <summary>Opens a base.</summary>
    /// <param name="name">Its name below the root.</param>
    /// <param name="baseRoot">The root that it was offered with, or unknown where any will do.</param>
    /// <param name="granularity">The copy's granularity.</param>
    /// <exception cref="DiskSyncException">There is no such base, or it has changed since it was offered (kind Preflight).</exception>
    public BaseImage Open(string name, Hash256 baseRoot, int granularity)
    {
        using TargetPaths paths = TargetPaths.Open(root, name, forReading: true);
        PagedMap? map = OpenTrustedMap(paths, granularity);
        try
        {
            // Without a map the base is hashed, which finds out what it holds.
            if (!baseRoot.IsUnknown && map is not null && map.Root() != baseRoot)
            {
                throw new DiskSyncException(
                    FailureKind.Preflight,
                    $"destination {paths.ImagePath}: the base has changed since it was offered",
                    "Run the same command again; the bases are looked at anew.");
            }

            LinuxFile file = paths.OpenFile(paths.Leaf, LinuxOpen.ReadOnly);
            if (file.Stat().Kind is not (FileKind.Regular or FileKind.BlockDevice))
            {
                file.Dispose();
                throw NotThere(paths.ImagePath, "it is not an image", null);
            }

            return new BaseImage(file, map);
        }
        catch (LinuxException exception)
        {
            map?.Dispose();
            throw NotThere(paths.ImagePath, exception.Message, exception);
        }
        catch
        {
            map?.Dispose();
            throw;
        }
    }

    /// <summary>The images that contents can be taken from, with their maps; owned by the caller.</summary>
    /// <param name="granularity">The copy's granularity.</param>
    /// <param name="most">The most images.</param>
    /// <param name="cancellationToken">Stops the search.</param>
    public IReadOnlyList<BaseImage> OpenSeeds(int granularity, int most, CancellationToken cancellationToken)
    {
        List<BaseImage> seeds = [];
        foreach (string name in SealedNames())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (seeds.Count == most)
            {
                break;
            }

            if (TryOpenSeed(name, granularity) is { } seed)
            {
                seeds.Add(seed);
            }
        }

        return seeds;
    }

    private BaseImage? TryOpenSeed(string name, int granularity)
    {
        try
        {
            using TargetPaths? paths = TryPaths(name);
            if (paths?.StatOf(paths.Leaf) is not { Kind: FileKind.Regular }
                || TrustedSeal(paths, granularity) is not { } seal
                || LoadMap(paths, seal.Root, SeedPages) is not { } map)
            {
                return null;
            }

            try
            {
                return new BaseImage(paths.OpenFile(paths.Leaf, LinuxOpen.ReadOnly), map);
            }
            catch
            {
                map.Dispose();
                throw;
            }
        }
        catch (LinuxException)
        {
            // It went away or may not be read: then it is no seed.
            return null;
        }
    }

    private DiskSyncException NotThere(string path, string why, Exception? inner)
    {
        string held = string.Join(", ", SealedNames().Take(10));
        return new DiskSyncException(
            FailureKind.Preflight,
            $"destination: the base {path} cannot be used: {why}",
            held.Length > 0 ? $"Sealed bases there: {held}." : "There are no sealed bases there; push one first, or use --base none.",
            inner);
    }

    private BaseOffer? Look(string name, int granularity)
    {
        try
        {
            using TargetPaths? paths = TryPaths(name);
            if (paths?.StatOf(paths.Leaf) is not { Kind: FileKind.Regular } stat)
            {
                return null;
            }

            SealRecord? seal = TrustedSeal(paths, granularity);
            if (seal is not null)
            {
                Remember(seal.Root, name);
            }

            return new BaseOffer(name, (ulong)stat.Size, seal?.Root ?? Hash256.Unknown, seal?.Epoch ?? 0);
        }
        catch (LinuxException)
        {
            // It went away or may not be read: then it is no base.
            return null;
        }
    }

    private void Remember(Hash256 baseRoot, string name)
    {
        if (_offered.Count >= MaxSeals)
        {
            _offered.Clear();
        }

        _offered[baseRoot] = name;
    }

    private TargetPaths? TryPaths(string name)
    {
        try
        {
            return TargetPaths.Open(root, name, forReading: true);
        }
        catch (DiskSyncException)
        {
            return null;
        }
    }

    private List<string> SealedNames()
    {
        EnumerationOptions options = new() { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true };
        List<string> names = [];
        foreach (string path in Directory.EnumerateFiles(root.Path, "*.seal", options))
        {
            names.Add(Path.GetRelativePath(root.Path, path)[..^".seal".Length]);
            if (names.Count == MaxSeals)
            {
                break;
            }
        }

        names.Sort(StringComparer.Ordinal);
        return names;
    }

    /// <summary>The images that were handed over under a name, sealed or not.</summary>
    private IEnumerable<string> CededOf(string name)
    {
        using TargetPaths? paths = TryPaths(name);
        if (paths is null)
        {
            return [];
        }

        string prefix = name[..^paths.Leaf.Length];
        return [.. Directory.EnumerateFiles(paths.Folder.Path)
            .Select(path => prefix + Path.GetFileName(path))
            .Where(ceded => NumberedNames.Ceded.IsOf(ceded, name))
            .OrderByDescending(NumberedNames.Ceded.NumberOf)];
    }

    private static SealRecord? TrustedSeal(TargetPaths paths, int granularity) =>
        TargetSealer.ReadSeal(paths) is { } seal
            && seal.Geometry.Granularity == granularity
            && paths.StatOf(paths.Leaf) is { } stat
            && TargetSealer.Fits(seal, stat)
            && TargetSealer.ReadMapClaim(paths)?.Root == seal.Root
            ? seal
            : null;

    private static PagedMap? LoadMap(TargetPaths paths, Hash256 root, int cachedPages = PagedMap.UsualCachedPages)
    {
        try
        {
            using FileStream stream = new(paths.OpenFile(paths.Map, LinuxOpen.ReadOnly).Handle, FileAccess.Read, 1 << 16);
            BlockMapReader reader = new(stream);
            PagedMap map = PagedMap.CreateTemporary(reader.Geometry, defaultIsZero: true, cachedPages);
            try
            {
                long block = 0;
                while (reader.TryRead(out MapRun run))
                {
                    map.SetRun(block, run.Count, run.Hash);
                    block += run.Count;
                }

                if (reader.Root == root)
                {
                    return map;
                }
            }
            catch
            {
                map.Dispose();
                throw;
            }

            map.Dispose();
            return null;
        }
        catch (FormatViolationException)
        {
            // A damaged map costs a hash of the base, nothing else.
            RemoveDamaged(paths);
            return null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>A map that cannot be believed would be offered again and again.</summary>
    private static void RemoveDamaged(TargetPaths paths)
    {
        try
        {
            paths.Remove(paths.Map);
        }
        catch (LinuxException)
        {
            // Then it stays; nothing depends on it.
        }
    }
}
