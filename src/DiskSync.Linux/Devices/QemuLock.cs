namespace DiskSync.Linux;

/// <summary>Detects the image locks of QEMU and its tools.</summary>
/// <remarks>
/// QEMU (block/file-posix.c, since 2.10) takes shared open-file-description locks on single bytes: 100 + n for each
/// permission n that it uses, 200 + n for each that it does not want others to use; 1 is writing, 3 is resizing.
/// The answer is of this moment and only of this host (and of what a network file system passes on).
/// </remarks>
public static class QemuLock
{
    private const long UsedBase = 100;
    private const long NotSharedBase = 200;
    private const int Bytes = 64;
    private const int WriteBit = 1;
    private const int ResizeBit = 3;

    /// <summary>How QEMU uses an image.</summary>
    /// <param name="path">A raw file or device that can be opened for reading.</param>
    /// <exception cref="LinuxException">It could not be opened or asked.</exception>
    public static QemuUse Find(string path)
    {
        using var file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
        return Find(file);
    }

    /// <summary>How QEMU uses an image.</summary>
    /// <exception cref="LinuxException">It could not be asked.</exception>
    public static QemuUse Find(LinuxFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return file.HasRangeLock(UsedBase + WriteBit, 1) || file.HasRangeLock(UsedBase + ResizeBit, 1)
                ? QemuUse.Writing
            : file.HasRangeLock(UsedBase, Bytes) || file.HasRangeLock(NotSharedBase, Bytes) ? QemuUse.Reading
            : QemuUse.None;
    }

    /// <summary>True where QEMU has the image open in any way.</summary>
    /// <exception cref="LinuxException">It could not be opened or asked.</exception>
    public static bool IsHeld(string path) => Find(path) != QemuUse.None;
}
