using System.Globalization;

namespace DiskSync.Linux;

/// <summary>What the disks under a file or device have done since the machine started, and how much of it was for this process.</summary>
/// <param name="Busy">For how long the busiest of them had something to do.</param>
/// <param name="Bytes">Bytes read and written.</param>
/// <param name="OwnBytes">Of them, those of this process (on any disk).</param>
/// <remarks>Documentation/block/stat.rst, proc_pid_io(5).</remarks>
public readonly record struct DiskUse(TimeSpan Busy, long Bytes, long OwnBytes)
{
    private const int SectorBytes = 512;

    /// <summary>Reads the counters.</summary>
    /// <param name="path">A file or block device.</param>
    /// <returns>Null where the kernel keeps none: a network file system, tmpfs, a file system of several devices.</returns>
    public static DiskUse? Of(string path) =>
        FileStat.IfExists(path) is { } stat
            ? Of(stat.Kind == FileKind.BlockDevice ? stat.SpecialDevice : stat.Device, DeviceTree.Host, "/proc/self/io")
            : null;

    internal static DiskUse? Of(DeviceNumber device, DeviceTree tree, string ownCounters)
    {
        List<long[]> disks = [.. tree.Disks(device).Select(tree.Statistics).OfType<long[]>()];
        return disks.Count == 0
            ? null
            : new DiskUse(
                TimeSpan.FromMilliseconds(disks.Max(d => d[9])), disks.Sum(d => (d[2] + d[6]) * SectorBytes), Own(ownCounters));
    }

    private static long Own(string path)
    {
        try
        {
            return File.ReadLines(path)
                .Select(line => line.Split(": "))
                .Where(parts => parts is ["read_bytes" or "write_bytes", _])
                .Sum(parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
