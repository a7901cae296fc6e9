using System.Globalization;

namespace DiskSync.Linux;

/// <summary>What the kernel has counted of a block device (/sys/dev/block/MAJOR:MINOR/stat, Documentation/block/stat.rst).</summary>
/// <param name="Sequence">The disk's number in the order of appearance (diskseq), which no other disk gets until the next start; of a partition its whole disk's.</param>
/// <param name="SectorsRead">Sectors read.</param>
/// <param name="SectorsChanged">Sectors written and sectors discarded.</param>
public readonly record struct DeviceActivity(ulong Sequence, ulong SectorsRead, ulong SectorsChanged)
{
    private const int SectorsReadField = 2;
    private const int SectorsWrittenField = 6;
    private const int SectorsDiscardedField = 13;

    /// <summary>The counts of a block device now.</summary>
    /// <param name="device">Its number.</param>
    /// <returns>Null where the kernel does not count (no diskseq before Linux 5.15; queue/iostats off; no /sys).</returns>
    public static DeviceActivity? Of(DeviceNumber device) => Of(device, DeviceTree.Host);

    /// <summary>The sequence number of the disk that a device is or is part of; 0 where it is not told, as for what is no disk.</summary>
    public static ulong SequenceOf(DeviceNumber device) => SequenceOf(device, DeviceTree.Host);

    internal static DeviceActivity? Of(DeviceNumber device, DeviceTree tree)
    {
        DeviceNumber whole = tree.Whole(device) ?? device;
        string[] fields = tree.Attribute(device, "stat")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return tree.Attribute(whole, "queue/iostats") == "1"
            && SequenceOf(device, tree) is > 0 and ulong sequence
            && TryField(fields, SectorsReadField, out ulong read)
            && TryField(fields, SectorsWrittenField, out ulong written)
            && TryField(fields, SectorsDiscardedField, out ulong discarded)
            ? new DeviceActivity(sequence, read, written + discarded)
            : null;
    }

    private static ulong SequenceOf(DeviceNumber device, DeviceTree tree) =>
        ulong.TryParse(
            tree.Attribute(tree.Whole(device) ?? device, "diskseq"), NumberStyles.None, CultureInfo.InvariantCulture, out ulong sequence)
            ? sequence
            : 0;

    private static bool TryField(string[] fields, int index, out ulong value)
    {
        value = 0;
        return index < fields.Length
            && ulong.TryParse(fields[index], NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
