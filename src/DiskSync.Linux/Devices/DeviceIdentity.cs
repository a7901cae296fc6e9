using System.Security.Cryptography;
using System.Text;
using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>A name for a block device that stays the same when the device is found again under another /dev name.</summary>
public static class DeviceIdentity
{
    /// <summary>
    /// The by-id links that are made from the hardware or the mapping, the best first. Not among them are those made
    /// from the content (lvm-pv-uuid, md-uuid), because a copied device would take its original's name; those that the
    /// administrator can give to another device (dm-name, md-name); and those that two devices may share, of which
    /// udev lets the last one win (nvme-MODEL_SERIAL of several namespaces, usb-... of cheap sticks).
    /// </summary>
    private static readonly string[] Preferred =
        ["dm-uuid-", "nvme-eui.", "nvme-uuid.", "wwn-", "scsi-", "ata-", "virtio-", "mmc-"];

    /// <summary>Finds a device's identity.</summary>
    /// <param name="path">Any path of a block device.</param>
    /// <returns>
    /// A text of letters, digits and "._:-+", at most 200 characters, that can be used as a file name; or null where
    /// nothing stable is known, or nothing that no other device here has too. In this order: a device mapper UUID
    /// (LVM), a link in /dev/disk/by-id, a loop device's backing file (file system, inode, birth time, offset), the
    /// world-wide id or the maker, model and serial number in /sys. A partition has its device's identity and its number.
    /// </returns>
    /// <exception cref="LinuxException">The path could not be looked at, or is no block device (ENOTBLK).</exception>
    public static string? Find(string path)
    {
        FileStat stat = FileStat.Of(path);
        return stat.Kind == FileKind.BlockDevice
            ? Find(stat.SpecialDevice, DeviceTree.Host, "/dev/disk/by-id")
            : throw new LinuxException(Errno.ENOTBLK, "find the identity of", path);
    }

    /// <summary>Finds the device that has an identity now.</summary>
    /// <param name="identity">What <see cref="Find(string)"/> returned once.</param>
    /// <returns>Its path under /dev, or null where no attached device has that identity.</returns>
    public static string? FindPath(string identity)
    {
        DeviceTree tree = DeviceTree.Host;
        foreach (DeviceNumber whole in tree.WholeDevices())
        {
            foreach (DeviceNumber device in tree.Partitions(whole).Prepend(whole))
            {
                string path = tree.Name(device);
                if (FileStat.IfExists(path) is { Kind: FileKind.BlockDevice } && Find(path) == identity)
                {
                    return path;
                }
            }
        }

        return null;
    }

    internal static string? Find(DeviceNumber device, DeviceTree tree, string linkFolder)
    {
        if (tree.Attribute(device, "dm/uuid") is { } uuid)
        {
            return Clean($"dm-uuid-{uuid}");
        }

        if (FromLinks(device, tree, linkFolder) is { } link)
        {
            return Clean(link);
        }

        if (tree.Whole(device) is { } whole)
        {
            string? number = tree.Attribute(device, "partition");
            return number is not null && Find(whole, tree, linkFolder) is { } parent ? Clean($"{parent}-part{number}") : null;
        }

        return Clean(FromLoop(device, tree) ?? FromSerial(device, tree));
    }

    private static string? FromLinks(DeviceNumber device, DeviceTree tree, string folder)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        string name = tree.Name(device);
        return Directory.EnumerateFileSystemEntries(folder)
            .Where(link => IsLinkTo(link, device, name))
            .Select(link => Path.GetFileName(link))
            .Select(link => (Link: link, Rank: Array.FindIndex(Preferred, p => link.StartsWith(p, StringComparison.Ordinal))))
            .Where(found => found.Rank >= 0)
            .OrderBy(found => found.Rank).ThenBy(found => found.Link, StringComparer.Ordinal)
            .Select(found => found.Link)
            .FirstOrDefault();
    }

    private static bool IsLinkTo(string link, DeviceNumber device, string name)
    {
        try
        {
            return FileStat.IfExists(link) is { Kind: FileKind.BlockDevice } stat
                ? stat.SpecialDevice == device
                : Path.GetFileName(File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName) == Path.GetFileName(name);
        }
        catch (IOException)
        {
            // A dangling or circular link of a device that went away.
            return false;
        }
    }

    private static unsafe string? FromLoop(DeviceNumber device, DeviceTree tree)
    {
        string? file = tree.Attribute(device, "loop/backing_file");
        if (file is null || LoopBacking.Find(tree.Name(device)) is not { } backing)
        {
            return null;
        }

        // The number of the backing file's device is given anew at each start, so the file system's own id is taken;
        // the birth time tells a new file from a deleted one whose inode it got.
        if (FileStat.IfExists(file) is not { } stat || !backing.Is(stat)
            || StatCalls.StatFileSystem(file, out FileSystemBuffer system) < 0)
        {
            return null;
        }

        return system.Id == 0 && stat.BirthNanoseconds == 0
            ? null
            : $"loop-{system.Id:x16}-{stat.Inode}-{stat.BirthNanoseconds:x}-{backing.Offset}-{backing.SizeLimit}";
    }

    private static string? FromSerial(DeviceNumber device, DeviceTree tree)
    {
        // A serial number that two disks share (a VM's configuration that was copied) tells neither of them.
        string? own = Serial(device, tree);
        return own is null || tree.WholeDevices().Any(other => other != device && Serial(other, tree) == own) ? null : own;
    }

    /// <remarks>Not device/serial: on NVMe and MMC that is the controller's, shared by several disks.</remarks>
    private static string? Serial(DeviceNumber device, DeviceTree tree)
    {
        if ((tree.Attribute(device, "wwid") ?? tree.Attribute(device, "device/wwid")) is { } worldWide)
        {
            return $"wwid-{worldWide}";
        }

        string? serial = tree.Attribute(device, "serial");
        string? vendor = tree.Attribute(device, "device/vendor");
        string? model = tree.Attribute(device, "device/model");
        return serial is null ? null : string.Join('-', new[] { "serial", vendor, model, serial }.Where(part => part is not null));
    }

    private static string? Clean(string? text)
    {
        const int Longest = 200;
        if (text is null)
        {
            return null;
        }

        string clean = new([.. text.Select(c => char.IsAsciiLetterOrDigit(c) || "._:-+".Contains(c, StringComparison.Ordinal) ? c : '_')]);

        // What tells two devices apart often stands at the end, so a text that is too long is not simply cut.
        return clean.Length <= Longest ? clean
            : $"{clean[..100]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
    }
}
