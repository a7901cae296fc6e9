using DiskSync.Engine.Comparison;
using DiskSync.Formats;
using DiskSync.Formats.Peers;
using DiskSync.Linux;

namespace DiskSync.Engine.Peers;

/// <summary>The peers file of a key folder: read anew for each question, so that a change counts at once.</summary>
/// <remarks>Thread safe, and safe beside other processes: a change takes a lock and replaces the file in one step.</remarks>
/// <param name="folder">The key folder; it need not be there.</param>
public sealed class PeerStore(KeyFolder folder)
{
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);

    /// <summary>Where the file is, and how commands that work on it are written.</summary>
    public KeyFolder Folder => folder;

    /// <summary>All entries, in the order of the file; none where there is no file.</summary>
    /// <exception cref="DiskSyncException">The file is damaged, or others may write it (kind Preflight).</exception>
    public IReadOnlyList<PeerEntry> Read() => Checked(() => PeersFile.Decode(Bytes()));

    /// <summary>The entry that says which key a receiver has: that of its host and port, else that of its host.</summary>
    /// <exception cref="DiskSyncException">The file cannot be used.</exception>
    public PeerEntry? FindReceiver(PeerName name)
    {
        IReadOnlyList<PeerEntry> entries = Read();
        return entries.FirstOrDefault(e => e.Name == name) ?? entries.FirstOrDefault(e => e.Name == name.WithoutPort);
    }

    /// <summary>The entry by which a source is admitted, or null.</summary>
    /// <exception cref="DiskSyncException">The file cannot be used.</exception>
    public PeerEntry? FindSource(Fingerprint fingerprint) =>
        Read().FirstOrDefault(e => e.AdmitsSources && e.Fingerprint == fingerprint);

    /// <summary>Adds an entry; durable when this returns.</summary>
    /// <returns>False where it is there already.</returns>
    /// <exception cref="DiskSyncException">The name has another fingerprint, or the file cannot be used.</exception>
    public bool Add(PeerEntry entry) => Change(file =>
    {
        PeerEntry? old = PeersFile.Decode(file).FirstOrDefault(e => e.Name == entry.Name);
        if (old is null)
        {
            return PeersFile.With(file, entry);
        }

        return old == entry ? null : throw new DiskSyncException(
            FailureKind.Preflight,
            $"{entry.Name} is trusted with another key: {old.Fingerprint}, not {entry.Fingerprint}",
            $"If its key was changed on purpose, run '{folder.Command($"trust --remove {entry.Name}")}' first.");
    });

    /// <summary>Takes a name's entry away; durable when this returns.</summary>
    /// <returns>False where there is none.</returns>
    /// <exception cref="DiskSyncException">The file cannot be used.</exception>
    public bool Remove(PeerName name) => Change(
        file => PeersFile.Decode(file).Any(e => e.Name == name) ? PeersFile.Without(file, name) : null);

    private bool Change(Func<byte[], byte[]?> change) => Checked(() =>
    {
        folder.Create();
        using LinuxFile gate = Lock();
        if (change(Bytes()) is not { } changed)
        {
            return false;
        }

        using AtomicFileStream file = AtomicFileStream.Create(folder.PeersPath);
        file.Write(changed);
        file.Commit();
        return true;
    });

    private byte[] Bytes()
    {
        if (FileStat.IfExists(folder.PeersPath) is not { } stat)
        {
            return [];
        }

        if ((stat.Mode & OthersWrite) != 0)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{folder.PeersPath} can be written by others, who could trust themselves",
                $"Look through it, then 'chmod go-w {folder.PeersPath}'.");
        }

        byte[] bytes = new byte[Math.Min(stat.Size, PeersFile.MaxSize + 1)];
        using LinuxFile file = LinuxFile.Open(folder.PeersPath, LinuxOpen.ReadOnly);
        return bytes[..file.ReadAt(bytes, 0)];
    }

    // On the folder: the file itself is replaced, and a lock on it would be one on the file of before.
    private LinuxFile Lock()
    {
        LinuxFile gate = LinuxFile.Open(folder.Path, LinuxOpen.Directory);
        if (!gate.TryLockExclusive(LockPatience))
        {
            gate.Dispose();
            throw new DiskSyncException(
                FailureKind.Preflight, $"{folder.PeersPath} is being changed by another process", "Run the command again.");
        }

        return gate;
    }

    private T Checked<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (FormatViolationException exception)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{folder.PeersPath} is damaged, so nobody is trusted: {exception.Message}",
                "Mend that line, or take it out and trust that peer again.",
                exception);
        }
        catch (LinuxException exception)
        {
            throw new DiskSyncException(
                FailureKind.Preflight, $"{folder.PeersPath} cannot be used: {exception.Message}", "Look at its permissions, or name another folder with --keys DIR.", exception);
        }
    }
}
