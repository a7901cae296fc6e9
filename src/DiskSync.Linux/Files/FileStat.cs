using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>A file's status at one moment (statx).</summary>
public readonly record struct FileStat
{
    private const int KindMask = 0xF000;

    /// <summary>What it is.</summary>
    public FileKind Kind { get; private init; }

    /// <summary>The device that the file is on; together with <see cref="Inode"/> it names the file on this host.</summary>
    public DeviceNumber Device { get; private init; }

    /// <summary>The file's number on its device.</summary>
    public ulong Inode { get; private init; }

    /// <summary>For a device file, the device that it stands for.</summary>
    public DeviceNumber SpecialDevice { get; private init; }

    /// <summary>The length in bytes; 0 for block devices.</summary>
    public long Size { get; private init; }

    /// <summary>The bytes allocated, less than <see cref="Size"/> where there are holes.</summary>
    public long AllocatedBytes { get; private init; }

    /// <summary>The permission bits.</summary>
    public UnixFileMode Mode { get; private init; }

    /// <summary>The owner's number.</summary>
    public uint UserId { get; private init; }

    /// <summary>The group's number.</summary>
    public uint GroupId { get; private init; }

    /// <summary>The number of names that the file has.</summary>
    public uint Links { get; private init; }

    /// <summary>When the content last changed, in nanoseconds since 1970.</summary>
    public long ModifiedNanoseconds { get; private init; }

    /// <summary>When content or status last changed, in nanoseconds since 1970; programs cannot set it.</summary>
    public long ChangedNanoseconds { get; private init; }

    /// <summary>When the file was made, in nanoseconds since 1970; 0 where the file system does not record it.</summary>
    public long BirthNanoseconds { get; private init; }

    /// <summary>What buffers must be aligned to in memory under O_DIRECT; 0 where the kernel does not tell or it is not possible.</summary>
    public int DirectMemoryAlignment { get; private init; }

    /// <summary>What offsets and lengths must be multiples of under O_DIRECT; 0 where the kernel does not tell or it is not possible.</summary>
    public int DirectOffsetAlignment { get; private init; }

    /// <summary>The status of a path.</summary>
    /// <param name="path">Any path.</param>
    /// <param name="followLinks">False to look at a symbolic link itself.</param>
    /// <exception cref="LinuxException">ENOENT where there is none; others as they come.</exception>
    public static FileStat Of(string path, bool followLinks = true)
    {
        return TryOf(path, followLinks, out Errno error) ?? throw new LinuxException(error, "look at", path);
    }

    /// <summary>The status of a path, or null where nothing is there.</summary>
    /// <param name="path">Any path.</param>
    /// <param name="followLinks">False to look at a symbolic link itself.</param>
    /// <exception cref="LinuxException">Anything but ENOENT, ENOTDIR or ENAMETOOLONG.</exception>
    public static FileStat? IfExists(string path, bool followLinks = true)
    {
        return TryOf(path, followLinks, out Errno error) is { } stat ? stat
            : error is Errno.ENOENT or Errno.ENOTDIR or Errno.ENAMETOOLONG ? null
            : throw new LinuxException(error, "look at", path);
    }

    /// <summary>The status of a name in an open directory, or null where nothing is there. Links are not followed.</summary>
    /// <exception cref="LinuxException">Anything but ENOENT.</exception>
    public static FileStat? IfExists(LinuxFile directory, string name)
    {
        ArgumentNullException.ThrowIfNull(directory);
        FileSystemCalls.CheckName("look at", name);
        int result = StatCalls.StatX(
            directory.Handle, name, StatCalls.NoFollow, StatCalls.WantedFields, out StatXBuffer buffer);
        return result == 0 ? From(buffer)
            : Call.Error == Errno.ENOENT ? null
            : throw LinuxException.Last("look at", Path.Join(directory.Path, name));
    }

    /// <summary>True where both are the same file: same device and inode, or the same block device.</summary>
    public bool IsSameFileAs(FileStat other) =>
        (Device == other.Device && Inode == other.Inode)
        || (Kind == FileKind.BlockDevice && other.Kind == FileKind.BlockDevice && SpecialDevice == other.SpecialDevice);

    internal static FileStat Of(LinuxFile file)
    {
        int result = StatCalls.StatX(
            file.Handle, string.Empty, StatCalls.EmptyPath, StatCalls.WantedFields, out StatXBuffer buffer);
        return result == 0 ? From(buffer) : throw LinuxException.Last("look at", file.Path);
    }

    private static FileStat? TryOf(string path, bool followLinks, out Errno error)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Call.CheckPath("look at", path);
        int flags = followLinks ? 0 : StatCalls.NoFollow;
        int result = StatCalls.StatX(
            StatCalls.CurrentDirectory, path, flags, StatCalls.WantedFields, out StatXBuffer buffer);
        error = result == 0 ? Errno.None : Call.Error;
        return result == 0 ? From(buffer) : null;
    }

    private static FileStat From(in StatXBuffer raw) => new()
    {
        Kind = (raw.Mode & KindMask) switch
        {
            0x8000 => FileKind.Regular,
            0x6000 => FileKind.BlockDevice,
            0x4000 => FileKind.Directory,
            0xA000 => FileKind.SymbolicLink,
            _ => FileKind.Other,
        },
        Device = new DeviceNumber(raw.DeviceMajor, raw.DeviceMinor),
        Inode = raw.Inode,
        SpecialDevice = new DeviceNumber(raw.SpecialMajor, raw.SpecialMinor),
        Size = raw.Size,
        AllocatedBytes = raw.Blocks * 512,
        Mode = (UnixFileMode)(raw.Mode & ~KindMask),
        UserId = raw.User,
        GroupId = raw.Group,
        Links = raw.Links,
        ModifiedNanoseconds = Nanoseconds(raw.ModifySeconds, raw.ModifyNanoseconds),
        ChangedNanoseconds = Nanoseconds(raw.ChangeSeconds, raw.ChangeNanoseconds),
        BirthNanoseconds = (raw.Mask & StatCalls.BirthTimeField) == 0
            ? 0 : Nanoseconds(raw.BirthSeconds, raw.BirthNanoseconds),
        DirectMemoryAlignment = (raw.Mask & StatCalls.DirectAlignField) == 0 ? 0 : (int)raw.DirectMemoryAlign,
        DirectOffsetAlignment = (raw.Mask & StatCalls.DirectAlignField) == 0 ? 0 : (int)raw.DirectOffsetAlign,
    };

    private static long Nanoseconds(long seconds, uint rest) => (seconds * 1_000_000_000) + rest;
}
