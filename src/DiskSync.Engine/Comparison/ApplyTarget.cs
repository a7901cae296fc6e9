using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Runs;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>The image that a delta is applied to: nobody else uses it, and a note says when it is half-way.</summary>
/// <remarks>
/// The note stands beside a file as <c>NAME.applying</c>, and for a device or an NBD export as <c>devices/IDENTITY/applying</c> in the
/// state folder. It is durable before the first write and gone when the new content is proven; only with it may a block
/// be neither old nor new, because a kill may have cut its write in two. Not thread safe.
/// </remarks>
internal sealed class ApplyTarget : IDisposable
{
    private readonly string _note;
    private readonly string _seals;
    private LinuxFile? _lock;

    private ApplyTarget(IBlockDevice device, string note, string seals)
    {
        Device = device;
        _note = note;
        _seals = seals;
    }

    /// <summary>The image, opened for writing and locked.</summary>
    public IBlockDevice Device { get; }

    /// <summary>The note's path, for messages.</summary>
    public string NotePath => _note;

    /// <summary>Checks that nobody uses the target, opens it and locks it.</summary>
    /// <param name="path">A regular file, a block device or an NBD URI.</param>
    /// <param name="deltaPath">The delta, which must be another file.</param>
    /// <param name="stateFolder">The state folder to use for a device; null for the usual one.</param>
    /// <exception cref="DiskSyncException">It is in use, is not there or cannot be written.</exception>
    public static ApplyTarget Open(string path, string deltaPath, string? stateFolder)
    {
        if (NbdImage.IsOne(path))
        {
            return OpenExport(path, stateFolder);
        }

        try
        {
            FileStat stat = FileStat.Of(path);
            if (stat.IsSameFileAs(FileStat.Of(deltaPath)))
            {
                throw Refused($"destination {path}: is the delta itself", "Name the copy of the base that is to be changed.");
            }

            if (DestinationCheck.FindUse(path) is { Count: > 0 } uses)
            {
                throw Refused($"destination {path} is in use: {string.Join("; ", uses)}", "Stop what uses it.");
            }

            return stat.Kind == FileKind.BlockDevice ? OpenDevice(path, stateFolder) : OpenFile(path);
        }
        catch (LinuxException failure)
        {
            throw BlockDevices.CannotOpen(path, Side.Destination, failure);
        }
    }

    /// <summary>Whether an earlier run began to apply this delta here.</summary>
    public bool HasNoteOf(Hash256 delta)
    {
        try
        {
            return string.Equals(File.ReadAllText(_note), Note(delta), StringComparison.Ordinal);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether any note is there: an earlier run of some delta did not end.</summary>
    public bool HasAnyNote() => File.Exists(_note);

    /// <summary>Says durably that this delta is being applied; a seal of the old content is revoked first (safety rule 7).</summary>
    public void WriteNote(Hash256 delta)
    {
        RevokeSeals();
        using AtomicFileStream file = AtomicFileStream.Create(_note);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Note(delta)));
        file.Commit();
    }

    /// <summary>Takes the note away, durably: the target holds the new content.</summary>
    public void RemoveNote()
    {
        if (HasAnyNote())
        {
            File.Delete(_note);
            FileSystemCalls.SyncDirectory(Path.GetDirectoryName(_note)!);
        }
    }

    /// <summary>Sets the length; a device's cannot be set and was checked before.</summary>
    public void SetLength(long length)
    {
        if (Device is FileBlockDevice file && file.Length != length)
        {
            file.SetLength(length);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Device.Dispose();
        _lock?.Dispose();
    }

    private static string Note(Hash256 delta) => $"disksync apply 1\ndelta {delta}\n";

    private static ApplyTarget OpenFile(string path)
    {
        LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadWrite);
        LinuxBlockDevice device = BlockDevices.Wrap(file, path, Side.Destination);
        if (!file.TryLockExclusive())
        {
            device.Dispose();
            throw Refused($"destination {path}: another disksync is writing to it", "Wait until it is done.");
        }

        string real = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        return new ApplyTarget(device, real + ".applying", real + ".seal");
    }

    private static ApplyTarget OpenDevice(string path, string? stateFolder)
    {
        string identity = DeviceIdentity.Find(path) ?? throw Refused(
            $"destination {path}: the device has no stable identity (no by-id link, no serial number), so a note could not be told to be its own",
            "Use a device that has one, such as an LVM volume, or a file.");
        LinuxBlockDevice device = BlockDevices.WrapWritable(LinuxFile.Open(path, LinuxOpen.ReadWrite | LinuxOpen.Exclusive), path);
        string folder = StateOf(identity, stateFolder);
        return new ApplyTarget(device, Path.Join(folder, "applying"), Path.Join(folder, "*.seal"));
    }

    private static ApplyTarget OpenExport(string uri, string? stateFolder)
    {
        string folder = StateOf(NbdImage.IdOf(NbdImage.Parse(uri)), stateFolder);
        LinuxFile held = LinuxFile.Open(Path.Join(folder, "lock"), LinuxOpen.ReadWrite | LinuxOpen.Create);
        try
        {
            return held.TryLockExclusive()
                ? new ApplyTarget(NbdImage.OpenTarget(uri), Path.Join(folder, "applying"), Path.Join(folder, "*.seal")) { _lock = held }
                : throw Refused($"destination {uri}: another disksync is writing to it", "Wait until it is done.");
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    private static string StateOf(string identity, string? stateFolder)
    {
        string folder = StateFolder.Resolve(stateFolder);
        foreach (string part in (ReadOnlySpan<string>)["devices", identity])
        {
            StateFolder.Create(folder);
            folder = Path.Join(folder, part);
        }

        return StateFolder.Create(folder);
    }

    private void RevokeSeals()
    {
        string folder = Path.GetDirectoryName(_seals)!;
        string name = Path.GetFileName(_seals);
        string[] seals = name.StartsWith('*')
            ? Directory.GetFiles(folder, name)
            : [.. Enumerable.Repeat(_seals, 1).Where(File.Exists)];
        foreach (string seal in seals)
        {
            File.Delete(seal);
        }

        if (seals.Length > 0)
        {
            FileSystemCalls.SyncDirectory(folder);
        }
    }

    private static DiskSyncException Refused(string message, string advice) => new(FailureKind.Preflight, message, advice);
}
