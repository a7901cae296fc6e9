using DiskSync.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace DiskSync.Linux;

/// <summary>An open file, block device or directory, with the calls that .NET's own file classes do not have.</summary>
/// <remarks>
/// Positions are always explicit, so that all members but <see cref="Dispose"/> may be called by several threads at
/// once. Interrupted calls are repeated. Every failure is a <see cref="LinuxException"/> that names the path.
/// Disposing closes the file and thereby releases its locks.
/// </remarks>
public sealed partial class LinuxFile : IDisposable
{
    /// <summary>The mode of a new file unless said otherwise: its owner alone (0600).</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>openat2 fails with EAGAIN where a rename raced with "..": the manual says to retry.</summary>
    private const int BeneathAttempts = 64;

    private volatile bool _locked;

    private LinuxFile(SafeFileHandle handle, string path)
    {
        Handle = handle;
        Path = path;
    }

    /// <summary>The path as it was given; for a file opened beneath a folder, both joined.</summary>
    public string Path { get; }

    /// <summary>The handle, owned by this object: valid until <see cref="Dispose"/>.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens a path.</summary>
    /// <param name="path">Any path; symbolic links are followed unless <see cref="LinuxOpen.NoFollow"/> is set.</param>
    /// <param name="flags">Access and behaviour.</param>
    /// <param name="mode">The mode of a file that is created, less the process's umask.</param>
    /// <remarks>Never waits for the other end of a FIFO; look at <see cref="FileStat.Kind"/> for what was opened.</remarks>
    /// <exception cref="LinuxException">The path could not be opened so.</exception>
    public static LinuxFile Open(string path, LinuxOpen flags, UnixFileMode mode = OwnerOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Call.CheckPath(Verb(flags), path);
        int native = Translate(flags);
        int result;
        do
        {
            result = OpenCalls.Open(path, native, (uint)mode);
            if (result < 0 && Call.Error == Errno.EAGAIN && (native & OpenCalls.ONonBlock) != 0)
            {
                // Somebody holds a lease on the file (an NFS or SMB server): wait until the kernel has broken it.
                native &= ~OpenCalls.ONonBlock;
                continue;
            }
        }
        while (Call.Again(result));
        return result < 0
            ? throw LinuxException.Last(Verb(flags), path)
            : new LinuxFile(new SafeFileHandle(result, ownsHandle: true), path);
    }

    /// <summary>Opens a path that must not leave a folder: not by "..", not as an absolute path, not by a link.</summary>
    /// <param name="root">The folder, opened with <see cref="LinuxOpen.Directory"/>.</param>
    /// <param name="relativePath">The path beneath it, as a peer may have sent it. Links that stay inside are followed.</param>
    /// <param name="flags">Access and behaviour.</param>
    /// <param name="mode">The mode of a file that is created, less the process's umask.</param>
    /// <remarks>The kernel checks while it walks (openat2 with RESOLVE_BENEATH, Linux 5.6), so that no race can leave the folder.</remarks>
    /// <exception cref="LinuxException">EXDEV where the path leaves the folder; else as <see cref="Open"/>.</exception>
    public static LinuxFile OpenBeneath(
        LinuxFile root, string relativePath, LinuxOpen flags, UnixFileMode mode = OwnerOnly)
    {
        ArgumentNullException.ThrowIfNull(root);
        ArgumentException.ThrowIfNullOrEmpty(relativePath);
        Call.CheckPath(Verb(flags), relativePath);
        var how = new OpenHow
        {
            Flags = (uint)Translate(flags),
            Mode = flags.HasFlag(LinuxOpen.Create) ? (uint)mode : 0,
            Resolve = OpenCalls.ResolveBeneath | OpenCalls.ResolveNoMagicLinks,
        };
        int result;
        int attempts = 0;
        do
        {
            result = OpenCalls.OpenAt2(root.Handle, relativePath, ref how);
        }
        while (Call.Again(result) || (result < 0 && Call.Error == Errno.EAGAIN && ++attempts < BeneathAttempts));

        if (result >= 0)
        {
            return new LinuxFile(new SafeFileHandle(result, ownsHandle: true), PathBeneath(root, relativePath));
        }

        Errno errno = Call.Error;
        if (errno == Errno.EXDEV)
        {
            // It is not beneath the folder, so it has no full path there: it is named as it was asked for.
            throw new LinuxException(
                errno, Verb(flags), relativePath, detail: $"the path leaves the folder {root.Path}, to which it is confined");
        }

        throw new LinuxException(
            errno,
            Verb(flags),
            PathBeneath(root, relativePath),
            detail: errno == Errno.ENOSYS ? "confined paths need Linux 5.6 or newer" : null);
    }

    /// <summary>Opens the same file once more, wherever it has been moved to.</summary>
    /// <param name="flags">Access and behaviour of the new one, which its caller owns.</param>
    /// <remarks>Needs /proc.</remarks>
    /// <exception cref="LinuxException">It could not be opened so.</exception>
    public LinuxFile Reopen(LinuxOpen flags) => Open($"/proc/self/fd/{Handle.DangerousGetHandle()}", flags);

    /// <summary>Switches the bypass of the page cache on or off for later calls.</summary>
    /// <returns>False where the file system or device refuses O_DIRECT.</returns>
    public bool TrySetDirect(bool direct)
    {
        int flags = OpenCalls.FileControl(Handle, OpenCalls.GetStatusFlags, 0);
        if (flags < 0)
        {
            throw LinuxException.Last("read the flags of", Path);
        }

        flags = direct ? flags | OpenCalls.ODirect : flags & ~OpenCalls.ODirect;
        if (OpenCalls.FileControl(Handle, OpenCalls.SetStatusFlags, flags) >= 0)
        {
            return true;
        }

        return Call.Error == Errno.EINVAL ? false : throw LinuxException.Last("set O_DIRECT on", Path);
    }

    /// <summary>The file's status now.</summary>
    /// <exception cref="LinuxException">The file system did not answer.</exception>
    public FileStat Stat() => FileStat.Of(this);

    /// <summary>The length in bytes now: of a file its size, of a block device its capacity.</summary>
    /// <exception cref="LinuxException">It could not be asked.</exception>
    public long Length()
    {
        FileStat stat = Stat();
        return stat.Kind == FileKind.BlockDevice ? BlockDeviceSize() : stat.Size;
    }

    /// <summary>Closes the file. Errors are not reported here: only <see cref="DataSync"/> tells that data is safe.</summary>
    public void Dispose()
    {
        if (_locked && !Handle.IsClosed)
        {
            // Closing alone is not enough: a child process that is just being started has a copy of the handle until
            // it runs its program, and would keep the lock for that long.
            _ = FileCalls.Lock(Handle, FileCalls.LockRelease);
        }

        Handle.Dispose();
    }

    /// <inheritdoc/>
    public override string ToString() => Path;

    // For people: "." is the folder itself.
    private static string PathBeneath(LinuxFile root, string relativePath) =>
        relativePath == "." ? root.Path : System.IO.Path.Join(root.Path, relativePath);

    private static string Verb(LinuxOpen flags) =>
        flags.HasFlag(LinuxOpen.Create) && flags.HasFlag(LinuxOpen.Exclusive) ? "create" : "open";

    private static int Translate(LinuxOpen flags)
    {
        if (flags.HasFlag(LinuxOpen.Reference))
        {
            // O_PATH knows two more flags only; openat2 refuses any other beside it.
            return OpenCalls.OPath | OpenCalls.OCloseOnExec | Bit(LinuxOpen.Directory, OpenCalls.ODirectory)
                | Bit(LinuxOpen.NoFollow, OpenCalls.ONoFollow);
        }

        // O_NONBLOCK: a FIFO where an image was expected must not hang us. Files and disks do not care.
        return OpenCalls.OCloseOnExec | OpenCalls.ONoTty | OpenCalls.ONonBlock
            | Bit(LinuxOpen.ReadWrite, OpenCalls.OReadWrite)
            | Bit(LinuxOpen.WriteOnly, OpenCalls.OWriteOnly)
            | Bit(LinuxOpen.Create, OpenCalls.OCreate)
            | Bit(LinuxOpen.Exclusive, OpenCalls.OExclusive)
            | Bit(LinuxOpen.Truncate, OpenCalls.OTruncate)
            | Bit(LinuxOpen.NoFollow, OpenCalls.ONoFollow)
            | Bit(LinuxOpen.Direct, OpenCalls.ODirect)
            | Bit(LinuxOpen.Directory, OpenCalls.ODirectory)
            | Bit(LinuxOpen.DataSync, OpenCalls.ODataSync);

        int Bit(LinuxOpen flag, int native) => flags.HasFlag(flag) ? native : 0;
    }
}
