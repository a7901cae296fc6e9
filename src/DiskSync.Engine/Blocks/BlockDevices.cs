using DiskSync.Engine.Peers;
using DiskSync.Linux;

namespace DiskSync.Engine.Blocks;

/// <summary>Opens images by name: regular files and block devices by their paths, exports of NBD servers by their URIs.</summary>
public static class BlockDevices
{
    /// <summary>Opens a source image for reading.</summary>
    /// <param name="path">A regular file, a block device or an NBD URI.</param>
    /// <param name="keys">This host's key and peers for nbds; null for the usual folder.</param>
    /// <returns>The image, owned by the caller.</returns>
    /// <exception cref="DiskSyncException">It cannot be opened, or is none of these.</exception>
    public static IBlockDevice OpenSource(string path, KeyFolder? keys = null) =>
        NbdImage.IsOne(path) ? NbdImage.OpenSource(path, keys) : Open(path, LinuxOpen.ReadOnly, Side.Source);

    /// <summary>Opens an image for reading and writing where it stands.</summary>
    /// <param name="path">A regular file, a block device or an NBD URI.</param>
    /// <returns>The image, owned by the caller.</returns>
    /// <exception cref="DiskSyncException">It cannot be opened, or is none of these.</exception>
    public static IBlockDevice OpenTarget(string path) =>
        NbdImage.IsOne(path) ? NbdImage.OpenTarget(path) : Open(path, LinuxOpen.ReadWrite, Side.Destination);

    /// <summary>Makes a device of an open file, which it owns from now on, also when it fails.</summary>
    /// <param name="file">A regular file or a block device.</param>
    /// <param name="name">How messages call it.</param>
    /// <param name="side">The side that it is on.</param>
    public static LinuxBlockDevice Wrap(LinuxFile file, string name, Side side)
    {
        try
        {
            return file.Stat().Kind switch
            {
                FileKind.Regular => new FileBlockDevice(file, name, side),
                FileKind.BlockDevice => WrapDevice(file, name, side),
                FileKind kind => throw new DiskSyncException(
                    side == Side.Source ? FailureKind.Source : FailureKind.Preflight,
                    $"{SideName(side)} {name}: it is a {Word(kind)}, not a raw image file or a block device",
                    "Name the image itself."),
            };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Wraps an open destination device, and refuses it before the first write where it takes none.</summary>
    /// <param name="file">The device; owned from now on, disposed where this throws.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="DiskSyncException">It is read-only, or cannot be used.</exception>
    public static LinuxBlockDevice WrapWritable(LinuxFile file, string path)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.IsReadOnlyDevice())
        {
            file.Dispose();
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {path}: the device is read-only; nothing was written",
                $"Make it writable (blockdev --setrw {path}), or name another.");
        }

        return Wrap(file, path, Side.Destination);
    }

    /// <summary>The failure to open an image.</summary>
    /// <param name="path">The image.</param>
    /// <param name="side">The side that it is on.</param>
    /// <param name="exception">Why.</param>
    /// <param name="advice">What to do where it is not a matter of rights.</param>
    internal static DiskSyncException CannotOpen(string path, Side side, LinuxException exception, string advice = "Check the path.") => new(
        side == Side.Source ? FailureKind.Source : FailureKind.Destination,
        $"{SideName(side)} {exception.Message}",
        exception.IsDenied ? AccessAdvice.For(exception, path) : advice,
        exception);

    private static BlockSpecialDevice WrapDevice(LinuxFile file, string name, Side side)
    {
        BlockSpecialDevice device = new(file, name, side, file.TrySetDirect(true));

        // For those who make one pass only: a device that refuses O_DIRECT and whose cache cannot be dropped is refused.
        device.BeginPass();
        return device;
    }

    private static LinuxBlockDevice Open(string path, LinuxOpen flags, Side side)
    {
        LinuxFile file;
        try
        {
            file = LinuxFile.Open(path, flags);
        }
        catch (LinuxException exception)
        {
            throw CannotOpen(path, side, exception);
        }

        return Wrap(file, path, side);
    }

    private static string SideName(Side side) => side == Side.Source ? "source" : "destination";

    private static string Word(FileKind kind) => kind switch
    {
        FileKind.Directory => "folder",
        FileKind.SymbolicLink => "symbolic link",
        _ => "special file",
    };
}
