using System.Diagnostics;

namespace DiskSync.TestSupport;

/// <summary>A real, empty, mounted file system of its own. Needs root.</summary>
/// <remarks>Unmounted and removed with <see cref="Dispose"/>; safe in parallel.</remarks>
public sealed class ScratchMount : IDisposable
{
    private readonly TempFolder _folder;

    private ScratchMount(TempFolder folder, LoopDevice? device)
    {
        _folder = folder;
        Device = device;
    }

    /// <summary>Where it is mounted.</summary>
    public string Path => _folder.File("mnt");

    /// <summary>The device under it; null for tmpfs.</summary>
    public LoopDevice? Device { get; }

    /// <summary>The path of a name in it; nothing is made.</summary>
    public string File(string name) => System.IO.Path.Join(Path, name);

    /// <summary>Makes and mounts a file system.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="size">Bytes, or 0 for 512 MiB, sparse. xfs wants at least 300 MiB, btrfs 112 MiB.</param>
    /// <param name="options">Mount options: "ro", "noatime,...".</param>
    public static ScratchMount Create(FileSystemKind kind, long size = 0, string? options = null)
    {
        Root.Require("mount file systems");
        size = size == 0 ? 512L << 20 : size;
        var folder = new TempFolder();
        LoopDevice? device = null;
        try
        {
            string point = folder.File("mnt");
            Directory.CreateDirectory(point);
            string[] extra = options is null ? [] : ["-o", options];
            if (kind == FileSystemKind.Tmpfs)
            {
                Tool.Run("mount", "mount", ["-t", "tmpfs", "-o", $"size={size}", .. extra, "none", point]);
            }
            else
            {
                device = LoopDevice.Create(size);
                Format(kind, device.Path);
                Tool.Run("mount", "mount", ["-t", kind.ToString().ToLowerInvariant(), .. extra, device.Path, point]);
            }

            return new ScratchMount(folder, device);
        }
        catch
        {
            device?.Dispose();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Puts an empty file system on a device or file.</summary>
    public static void Format(FileSystemKind kind, string target)
    {
        _ = kind switch
        {
            FileSystemKind.Ext4 => Tool.Run("e2fsprogs", "mkfs.ext4", "-q", "-F", "-b", "4096", target),
            FileSystemKind.Xfs => Tool.Run("xfsprogs", "mkfs.xfs", "-q", "-f", target),
            FileSystemKind.Btrfs => Tool.Run("btrfs-progs", "mkfs.btrfs", "-q", "-f", target),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a file system that has a device"),
        };
    }

    /// <summary>Unmounts it and detaches its device.</summary>
    public void Dispose()
    {
        // Busy for a moment is normal: a child process that another test is just starting has copies of our handles
        // until it runs its program.
        var clock = Stopwatch.StartNew();
        (int code, _, string error) = Tool.TryRun("mount", "umount", Path);
        while (code != 0 && clock.Elapsed < TimeSpan.FromSeconds(5))
        {
            (code, _, error) = Tool.TryRun("mount", "umount", Path);
        }

        if (code != 0)
        {
            // Out of the way whatever happens; then say that the test left something open.
            Tool.TryRun("mount", "umount", "-l", Path);
        }

        try
        {
            Device?.Dispose();
        }
        finally
        {
            _folder.Dispose();
        }

        if (code != 0)
        {
            throw new InvalidOperationException($"{Path} could not be unmounted: {error}");
        }
    }
}
