using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>Which file system a file is on (statfs(2)).</summary>
/// <param name="Type">The magic of its kind.</param>
/// <param name="Id">What the kernel calls this one; made from its UUID where it has one.</param>
public readonly record struct FileSystemIdentity(ulong Type, ulong Id)
{
    private const ulong TmpfsType = 0x01021994;

    /// <summary>The kinds of which this host's kernel sees every write, and whose change time is finer than its clock's tick.</summary>
    /// <remarks>
    /// A list of those that are known, since any other may let another host write (NFS, SMB, Ceph, GFS2), or this one past
    /// the file's own lease (FUSE; overlayfs, whose writable mappings hold the file below it and not the one that was opened).
    /// </remarks>
    private static readonly ulong[] LocalTypes =
    [
        0xEF53, // ext4, ext3, ext2
        0x58465342, // xfs
        0x9123683E, // btrfs
        TmpfsType,
        0xF2F52010, // f2fs
        0xCA451A4E, // bcachefs
    ];

    /// <summary>Whether files have no medium but memory.</summary>
    public bool IsInMemory => Type == TmpfsType;

    /// <summary>Whether a lease on this file system tells of every writer, and the change time of every write.</summary>
    public bool ShowsEveryWrite => LocalTypes.Contains(Type);

    /// <summary>The file system of an open file.</summary>
    /// <exception cref="LinuxException">It could not be asked.</exception>
    public static FileSystemIdentity Of(LinuxFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        int result;
        FileSystemStatBuffer buffer;
        do
        {
            result = StatCalls.StatFileSystemOf(file.Handle, out buffer);
        }
        while (Call.Again(result));
        return result < 0
            ? throw LinuxException.Last("ask the file system of", file.Path)
            : new FileSystemIdentity((ulong)buffer.Type & uint.MaxValue, buffer.Id);
    }
}
