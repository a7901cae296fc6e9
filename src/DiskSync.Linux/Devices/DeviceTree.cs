namespace DiskSync.Linux;

/// <summary>What /sys tells about block devices: names, partitions, holders, attributes.</summary>
/// <remarks>The folder is a parameter, so that devices which this machine does not have can be tested.</remarks>
internal sealed class DeviceTree(string root)
{
    /// <summary>The tree of this host.</summary>
    internal static DeviceTree Host { get; } = new("/sys");

    /// <summary>The device's own folder, links resolved, or null where the kernel does not know the device.</summary>
    internal string? Folder(DeviceNumber device)
    {
        string link = Path.Join(root, "dev/block", device.ToString());
        return Directory.Exists(link)
            ? Directory.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName ?? link
            : null;
    }

    /// <summary>The device's path as users know it: "/dev/sda1".</summary>
    internal string Name(DeviceNumber device)
    {
        string? name = Folder(device) is { } folder
            ? Lines(Path.Join(folder, "uevent")).FirstOrDefault(l => l.StartsWith("DEVNAME=", StringComparison.Ordinal))
            : null;
        return name is null ? $"block device {device}" : "/dev/" + name["DEVNAME=".Length..];
    }

    /// <summary>The partitions of a whole device.</summary>
    internal IEnumerable<DeviceNumber> Partitions(DeviceNumber device) =>
        Folder(device) is { } folder
            ? Directory.EnumerateDirectories(folder)
                .Where(child => File.Exists(Path.Join(child, "partition")))
                .Order(StringComparer.Ordinal)
                .Select(Number)
                .OfType<DeviceNumber>()
            : [];

    /// <summary>The whole device that a partition is part of, or null.</summary>
    internal DeviceNumber? Whole(DeviceNumber device) =>
        Folder(device) is { } folder && File.Exists(Path.Join(folder, "partition"))
            ? Number(Path.GetDirectoryName(folder)!)
            : null;

    /// <summary>The disks that a device is made of: under partitions, device mapper and md; itself where it is one.</summary>
    internal IEnumerable<DeviceNumber> Disks(DeviceNumber device)
    {
        DeviceNumber whole = Whole(device) ?? device;
        string? slaves = Folder(whole) is { } folder ? Path.Join(folder, "slaves") : null;
        DeviceNumber[] beneath = Directory.Exists(slaves)
            ? [.. Directory.EnumerateFileSystemEntries(slaves).Select(Number).OfType<DeviceNumber>()]
            : [];
        return beneath.Length == 0 ? [whole] : beneath.SelectMany(Disks).Distinct();
    }

    /// <summary>The numbers of a device's "stat", of which there are eleven at least; null where it has none.</summary>
    internal long[]? Statistics(DeviceNumber device)
    {
        if (Attribute(device, "stat") is not { } text)
        {
            return null;
        }

        string[] fields = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long[] numbers = new long[fields.Length];
        return fields.Length >= 11 && fields.Select((field, i) => long.TryParse(field, out numbers[i])).All(read => read)
            ? numbers
            : null;
    }

    /// <summary>All devices that are not partitions.</summary>
    internal IEnumerable<DeviceNumber> WholeDevices() =>
        Directory.EnumerateDirectories(BlockFolder()).Select(Number).OfType<DeviceNumber>();

    /// <summary>The devices that are built on this one (device mapper, md, bcache), in words.</summary>
    internal IEnumerable<string> Holders(DeviceNumber device)
    {
        string? folder = Folder(device) is { } f ? Path.Join(f, "holders") : null;
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (string holder in Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(holder);
            string? mapped = Text(Path.Join(root, "block", name, "dm/name"));
            yield return mapped is null ? $"/dev/{name}" : $"the device mapper's {mapped} (/dev/{name})";
        }
    }

    /// <summary>The loop devices that are attached: name and the path of the backing file as the kernel knows it.</summary>
    internal IEnumerable<(string Name, string BackingFile)> Loops()
    {
        foreach (string folder in Directory.EnumerateDirectories(BlockFolder(), "loop*"))
        {
            if (Text(Path.Join(folder, "loop/backing_file")) is { } file)
            {
                yield return (Path.GetFileName(folder), file);
            }
        }
    }

    private string BlockFolder()
    {
        string folder = Path.Join(root, "block");
        return Directory.Exists(folder) ? folder : throw new LinuxException(
            Errno.ENOENT, "look at", folder, detail: $"{root} is not mounted here, so nobody can tell who uses a disk: mount -t sysfs sysfs {root}");
    }

    /// <summary>True where the device is part of a btrfs that is mounted, which its mount's number does not tell.</summary>
    internal bool IsInBtrfs(DeviceNumber device)
    {
        string folder = Path.Join(root, "fs/btrfs");
        string name = Path.GetFileName(Name(device));
        return Directory.Exists(folder)
            && Directory.EnumerateDirectories(folder).Any(fs => Path.Exists(Path.Join(fs, "devices", name)));
    }

    /// <summary>A one-line attribute of a device without its white space; null where it is missing or empty.</summary>
    internal string? Attribute(DeviceNumber device, string name) =>
        Folder(device) is { } folder ? Text(Path.Join(folder, name)) : null;

    private static DeviceNumber? Number(string folder) =>
        Text(Path.Join(folder, "dev")) is { } text && DeviceNumber.TryParse(text, out DeviceNumber number) ? number : null;

    private static string? Text(string path) => Lines(path).FirstOrDefault()?.Trim() is { Length: > 0 } text ? text : null;

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Devices come and go, and some attributes fail to be read while they do: as good as missing.
            return [];
        }
    }
}
