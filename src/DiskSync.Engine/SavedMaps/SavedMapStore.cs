using System.Globalization;
using System.Text;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Targets;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;
using DiskSync.Linux;

namespace DiskSync.Engine.SavedMaps;

/// <summary>The saved maps of this host: STATE/maps/ID/, a record and a tree each (Formats/SavedMap/FORMAT.md).</summary>
/// <remarks>
/// Nothing depends on them but time: whatever is lost, torn or damaged costs a scan. Several processes may use the same folder;
/// a record and a tree of two runs do not fit each other, which is noticed. Thread safe.
/// </remarks>
public sealed class SavedMapStore
{
    /// <summary>How many maps are kept; the oldest go.</summary>
    public const int MaxMaps = 64;

    /// <summary>How much all of them together may take on disk; the oldest go, the newest stays.</summary>
    public const long MaxBytes = 4L << 30;

    private const string RecordName = "record";
    private const string TreeName = "map";
    private const string NewEnding = ".new";
    private static readonly TimeSpan Abandoned = TimeSpan.FromDays(1);

    private readonly string _folder;

    /// <summary>The maps of a state folder, which need not exist yet.</summary>
    public SavedMapStore(string stateFolder)
    {
        _folder = Path.Join(stateFolder, "maps");
    }

    /// <summary>Opens the map of a source, if what it rests on is still so.</summary>
    /// <param name="source">The source's path.</param>
    /// <param name="geometry">How it is cut into blocks now.</param>
    /// <param name="now">The source's identity, taken under a watch that goes on.</param>
    /// <param name="why">Why there is none, or empty.</param>
    /// <returns>The map, owned by the caller, or null.</returns>
    public SavedMap? Open(string source, BlockGeometry geometry, SourceIdentity now, out string why)
    {
        string folder = FolderOf(source, geometry);
        try
        {
            if (ReadRecord(folder) is not { } record)
            {
                why = "no map of it is saved";
                return null;
            }

            why = Difference(record, geometry, now);
            return why.Length > 0
                ? null
                : new SavedMap(record, new SavedMapFile(LinuxFile.Open(Path.Join(folder, TreeName), LinuxOpen.ReadOnly), geometry, record.Root));
        }
        catch (FormatViolationException exception)
        {
            Remove(folder);
            why = $"its saved map is damaged ({exception.Message})";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            why = $"its saved map cannot be read ({exception.Message})";
        }

        return null;
    }

    /// <summary>Saves the map of a source; durable when it returns.</summary>
    /// <param name="source">The source's path.</param>
    /// <param name="map">The map, all of it known.</param>
    /// <param name="root">Its root, which the destination has proven.</param>
    /// <param name="identity">The source's identity from before it was read; that nobody has written it since is the caller's to know.</param>
    /// <returns>Why it was not saved, or empty.</returns>
    public string Save(string source, PagedMap map, Hash256 root, SourceIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(map);
        try
        {
            string path = RealPath(source);
            string folder = StateFolder.Create(FolderOf(source, map.Geometry));
            if (!HasTree(folder, root))
            {
                WriteTree(folder, map, root);
            }

            SavedMapRecord record = new(path, map.Geometry, root, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), identity);
            Replace(folder, RecordName, file => file.WriteAt(SavedMapCodec.Encode(record), 0));
            MakeRoom(folder);
            return string.Empty;
        }
        catch (Exception exception) when (exception is DiskSyncException or IOException
            or InvalidDataException or UnauthorizedAccessException or ArgumentException)
        {
            return exception.Message;
        }
    }

    /// <summary>Throws the map of a source away: it was not true.</summary>
    public void Discard(string source, BlockGeometry geometry) => Remove(FolderOf(source, geometry));

    /// <summary>What is kept, oldest first; what cannot be read is there with the age of its folder and no record.</summary>
    public IReadOnlyList<SavedMapEntry> List()
    {
        List<SavedMapEntry> entries = [];
        if (Directory.Exists(_folder))
        {
            foreach (string folder in Directory.EnumerateDirectories(_folder))
            {
                entries.Add(Look(folder));
            }
        }

        entries.Sort((a, b) => a.SavedAt.CompareTo(b.SavedAt));
        return entries;
    }

    /// <summary>Removes one of those that were listed.</summary>
    public static void Remove(SavedMapEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        Remove(entry.Folder);
    }

    private static string Difference(SavedMapRecord record, BlockGeometry geometry, SourceIdentity now)
    {
        SourceIdentity then = record.Identity;
        string at = DateTimeOffset.FromUnixTimeMilliseconds(record.SavedAtMs).LocalDateTime.ToString(
            "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return then.Boot != now.Boot ? $"this host was started again since its map was saved ({at})"
            : record.Geometry != geometry ? $"its length has changed since its map was saved ({at})"
            : then.FileSystemType != now.FileSystemType || then.FileSystemId != now.FileSystemId || then.Device != now.Device
                || then.DiskSequence != now.DiskSequence || then.IsDevice != now.IsDevice
                ? $"it is on another {(now.IsDevice ? "device" : "file system")} than when its map was saved ({at})"
            : then.Inode != now.Inode || then.BirthNs != now.BirthNs ? $"it is another file than the one whose map was saved ({at})"
            : then.ChangedNs != now.ChangedNs || then.SectorsChanged != now.SectorsChanged
                ? $"it has changed since its map was saved ({at})"
            : then != now ? $"something about it has changed since its map was saved ({at})"
            : string.Empty;
    }

    private static SavedMapRecord? ReadRecord(string folder)
    {
        string path = Path.Join(folder, RecordName);
        if (FileStat.IfExists(path) is null)
        {
            return null;
        }

        byte[] bytes = new byte[SavedMapCodec.MaxSize + 1];
        using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
        return SavedMapCodec.Decode(bytes.AsSpan(0, file.ReadAt(bytes, 0)));
    }

    /// <summary>Whether the tree of a root is there already; that it is whole is seen when it is read.</summary>
    private static bool HasTree(string folder, Hash256 root)
    {
        try
        {
            return ReadRecord(folder) is { } record && record.Root == root
                && FileStat.IfExists(Path.Join(folder, TreeName))?.Size == new SavedMapLayout(record.Geometry).Length;
        }
        catch (FormatViolationException)
        {
            return false;
        }
    }

    private static void WriteTree(string folder, PagedMap map, Hash256 root) =>
        Replace(folder, TreeName, file =>
        {
            if (SavedMapWriter.Write(map, file) != root)
            {
                throw new InvalidDataException("what was written is not the map that was proven");
            }
        });

    /// <summary>Writes a file beside the one that it replaces, makes it durable, and gives it its name.</summary>
    private static void Replace(string folder, string name, Action<LinuxFile> write)
    {
        string path = Path.Join(folder, name);
        string fresh = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}{NewEnding}");
        try
        {
            using (LinuxFile file = LinuxFile.Open(fresh, LinuxOpen.ReadWrite | LinuxOpen.Create | LinuxOpen.Truncate))
            {
                write(file);
                file.DataSync();
            }

            FileSystemCalls.Rename(fresh, path);
            FileSystemCalls.SyncDirectory(folder);
        }
        catch
        {
            File.Delete(fresh);
            throw;
        }
    }

    private void MakeRoom(string newest)
    {
        List<SavedMapEntry> kept = [.. List().Where(e => e.Folder != newest)];
        long bytes = kept.Sum(e => e.AllocatedBytes) + Look(newest).AllocatedBytes;
        int count = kept.Count + 1;
        foreach (SavedMapEntry entry in kept)
        {
            bool lost = entry.Record is null && DateTimeOffset.UtcNow - entry.SavedAt > Abandoned;
            if (count > MaxMaps || bytes > MaxBytes || lost)
            {
                Remove(entry.Folder);
                count--;
                bytes -= entry.AllocatedBytes;
            }
        }
    }

    private static SavedMapEntry Look(string folder)
    {
        SavedMapRecord? record = null;
        try
        {
            record = ReadRecord(folder);
        }
        catch (Exception exception) when (exception is FormatViolationException or IOException)
        {
            // Listed as what it is: something that nobody can use.
        }

        long allocated = 0;
        DateTimeOffset written = DateTimeOffset.UnixEpoch;
        foreach (string file in Files(folder))
        {
            if (FileStat.IfExists(file) is { } stat)
            {
                allocated += stat.AllocatedBytes;
                DateTimeOffset modified = DateTimeOffset.UnixEpoch.AddTicks(stat.ModifiedNanoseconds / 100);
                written = modified > written ? modified : written;
            }
        }

        return new SavedMapEntry(
            folder, record, record is null ? written : DateTimeOffset.FromUnixTimeMilliseconds(record.SavedAtMs), allocated);
    }

    private static void Remove(string folder)
    {
        try
        {
            // The record first: without it the rest says nothing.
            foreach (string file in Files(folder).OrderBy(f => Path.GetFileName(f) == RecordName ? 0 : 1))
            {
                File.Delete(file);
            }

            Directory.Delete(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It stays, and is found out to be useless again.
        }
    }

    private static string[] Files(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder) : [];

    private string FolderOf(string source, BlockGeometry geometry)
    {
        byte[] name = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{RealPath(source)}\0{geometry.Granularity}"));
        return Path.Join(_folder, Blake3.Hash(name).ToString()[..32]);
    }

    private static string RealPath(string source)
    {
        string path = Path.GetFullPath(source);
        return FileStat.IfExists(path, followLinks: false) is { Kind: FileKind.SymbolicLink }
            ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path
            : path;
    }
}
