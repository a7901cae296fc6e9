namespace DiskSync.Linux;

/// <summary>Finds out who uses a file or block device that is about to be written.</summary>
public static class DestinationCheck
{
    /// <summary>The uses of a destination, each as a sentence without a full stop: "/dev/loop3 is mounted at /mnt/x".</summary>
    /// <param name="path">A file or block device. Where nothing is there, nothing uses it.</param>
    /// <returns>Empty where nobody uses it at this moment.</returns>
    /// <remarks>
    /// Found are mounts (of the device, its partitions, or the whole device of a partition), swap, loop devices made
    /// of it, device mapper and md, QEMU's image locks, and, for block devices, any other exclusive holder (in another
    /// mount namespace, say). Do not hold the device open exclusively yourself meanwhile. It takes no lock: open a
    /// device with <see cref="LinuxOpen.Exclusive"/> afterwards, which keeps all of these out.
    /// </remarks>
    /// <exception cref="LinuxException">The path could not be looked at or opened for reading.</exception>
    public static IReadOnlyList<string> FindUse(string path)
    {
        var uses = new List<string>();
        if (FileStat.IfExists(path) is not { } stat)
        {
            return uses;
        }

        if (stat.Kind == FileKind.BlockDevice)
        {
            AddDeviceUses(stat.SpecialDevice, path, uses);
        }
        else if (stat.Kind == FileKind.Regular)
        {
            AddSwaps(stat, path, uses);
            AddLoops(stat, path, uses);
        }
        else
        {
            return uses;
        }

        AddQemu(path, uses);
        if (uses.Count == 0 && stat.Kind == FileKind.BlockDevice && !CanOpenExclusively(path))
        {
            uses.Add($"{path} is in exclusive use by the kernel or by another program");
        }

        return uses;
    }

    /// <summary>The uses of a device by what /proc and /sys say; the whole and the parts of it are included.</summary>
    internal static void AddDeviceUses(
        DeviceNumber device, string path, List<string> uses, DeviceTree? tree = null, IEnumerable<string>? mounts = null)
    {
        tree ??= DeviceTree.Host;
        var table = MountEntry.Parse(mounts ?? File.ReadLines("/proc/self/mountinfo")).ToList();
        AddOwnUses(device, path, uses, tree, table);
        foreach (DeviceNumber part in tree.Partitions(device))
        {
            AddOwnUses(part, $"its partition {tree.Name(part)}", uses, tree, table);
        }

        if (tree.Whole(device) is { } whole)
        {
            AddOwnUses(whole, $"its whole device {tree.Name(whole)}", uses, tree, table);
        }
    }

    private static void AddOwnUses(
        DeviceNumber device, string name, List<string> uses, DeviceTree tree, List<MountEntry> mounts)
    {
        var points = mounts.Where(m => m.Device == device || IsDevice(m.Source, device)).Select(m => m.Point)
            .Distinct(StringComparer.Ordinal).ToList();
        uses.AddRange(points.Select(point => $"{name} is mounted at {point}"));
        if (points.Count == 0 && tree.IsInBtrfs(device))
        {
            uses.Add($"{name} is part of a mounted btrfs file system");
        }

        uses.AddRange(tree.Holders(device).Select(holder => $"{name} is part of {holder}"));
        if (tree == DeviceTree.Host && Node(tree.Name(device), device) is { } stat)
        {
            AddSwaps(stat, name, uses);
            AddLoops(stat, name, uses);
        }
    }

    private static void AddSwaps(FileStat stat, string name, List<string> uses)
    {
        // The first line is a heading; a kernel without swap has no file.
        IEnumerable<string> lines = File.Exists("/proc/swaps") ? File.ReadLines("/proc/swaps").Skip(1) : [];
        foreach (string line in lines)
        {
            string swap = MountEntry.Unescape(line.Split([' ', '\t'], 2)[0]);
            if (swap.StartsWith('/') && Look(swap) is { } other && other.IsSameFileAs(stat))
            {
                uses.Add($"{name} is used as swap space");
            }
        }
    }

    private static void AddLoops(FileStat stat, string name, List<string> uses)
    {
        foreach ((string loop, string backingFile) in DeviceTree.Host.Loops())
        {
            string path = "/dev/" + loop;
            if (!IsBackedBy(path, backingFile, stat))
            {
                continue;
            }

            uses.Add($"{name} is the backing file of {path}");
            if (Look(path) is { Kind: FileKind.BlockDevice } device)
            {
                AddDeviceUses(device.SpecialDevice, path, uses);
            }
        }
    }

    private static bool IsBackedBy(string loop, string backingFile, FileStat stat)
    {
        // The path is good enough where it leads to the file. It need not: the file may have been renamed, deleted,
        // or be named as another mount namespace sees it. Then the device itself knows, if we may open it.
        if (Look(backingFile) is { } named && named.IsSameFileAs(stat))
        {
            return true;
        }

        try
        {
            return LoopBacking.Find(loop) is { } backing && backing.Is(stat);
        }
        catch (LinuxException e) when (e.IsDenied)
        {
            return false;
        }
    }

    private static void AddQemu(string path, List<string> uses)
    {
        QemuUse use = QemuLock.Find(path);
        if (use != QemuUse.None)
        {
            uses.Add($"{path} is open in QEMU for {(use == QemuUse.Writing ? "writing" : "reading")} (its image lock is held)");
        }
    }

    private static bool CanOpenExclusively(string path)
    {
        try
        {
            using var file = LinuxFile.Open(path, LinuxOpen.ReadOnly | LinuxOpen.Exclusive);
            return true;
        }
        catch (LinuxException e) when (e.Errno == Errno.EBUSY)
        {
            return false;
        }
    }

    private static bool IsDevice(string source, DeviceNumber device) =>
        source.StartsWith('/') && Node(source, device) is not null;

    private static FileStat? Node(string path, DeviceNumber device) =>
        Look(path) is { Kind: FileKind.BlockDevice } stat && stat.SpecialDevice == device ? stat : null;

    /// <summary>The status of a path that others wrote down; whatever is wrong with it, it is then not the file we ask about.</summary>
    private static FileStat? Look(string path)
    {
        try
        {
            return FileStat.IfExists(path);
        }
        catch (LinuxException)
        {
            return null;
        }
    }
}
