using DiskSync.Linux.Native;

namespace DiskSync.Linux;

/// <summary>What a loop device is made of (LOOP_GET_STATUS64).</summary>
/// <param name="Device">The device that the backing file is on.</param>
/// <param name="Inode">The backing file's number there.</param>
/// <param name="SpecialDevice">The device that the backing file is, where it is a device.</param>
/// <param name="Offset">Where in the file the device starts.</param>
/// <param name="SizeLimit">Where it ends, or 0.</param>
internal readonly record struct LoopBacking(
    DeviceNumber Device, ulong Inode, DeviceNumber SpecialDevice, ulong Offset, ulong SizeLimit)
{
    /// <summary>Asks a loop device.</summary>
    /// <param name="path">"/dev/loop3".</param>
    /// <returns>Null where it is gone, detached, or no loop device.</returns>
    /// <exception cref="LinuxException">The user may not open it, or it failed.</exception>
    internal static unsafe LoopBacking? Find(string path)
    {
        try
        {
            using var file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
            LoopInfo info = default;
            int result;
            do
            {
                result = Ioctls.Control(file.Handle, Ioctls.LoopStatus, &info);
            }
            while (Call.Again(result));
            if (result >= 0)
            {
                return new LoopBacking(
                    LoopInfo.Unpack(info.Device), info.Inode, LoopInfo.Unpack(info.SpecialDevice), info.Offset, info.SizeLimit);
            }

            return Call.Error is Errno.ENXIO or Errno.ENOTTY or Errno.EINVAL
                ? null
                : throw LinuxException.Last("ask the backing file of", path);
        }
        catch (LinuxException e) when (e.Errno is Errno.ENXIO or Errno.ENOENT or Errno.ENODEV)
        {
            return null;
        }
    }

    /// <summary>True where a file or device is what this loop device is made of.</summary>
    internal bool Is(FileStat stat) =>
        (Device == stat.Device && Inode == stat.Inode)
        || (stat.Kind == FileKind.BlockDevice && SpecialDevice == stat.SpecialDevice);
}
