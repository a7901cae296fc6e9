using System.Diagnostics;
using DiskSync.Linux;

namespace DiskSync.TestSupport;

/// <summary>A real block device, made from a file by the loop driver. Needs root.</summary>
/// <remarks>
/// The device is told to detach as soon as nobody has it open, and this object holds it open: so it goes away by
/// itself even when the test process is killed. Safe in parallel.
/// </remarks>
public sealed class LoopDevice : IDisposable
{
    private readonly TempFolder? _folder;
    private readonly LinuxFile _keeper;

    private LoopDevice(string path, string backingFile, LinuxFile keeper, TempFolder? folder)
    {
        Path = path;
        BackingFile = backingFile;
        _keeper = keeper;
        _folder = folder;
    }

    /// <summary>The device: "/dev/loop3".</summary>
    public string Path { get; }

    /// <summary>The file behind it.</summary>
    public string BackingFile { get; }

    /// <summary>The device's name without its folder: "loop3".</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Makes a device of a size from a new, empty, sparse file.</summary>
    /// <param name="size">Bytes, a multiple of the sector size.</param>
    /// <param name="options">More options for losetup, as "--sector-size=4096", "--partscan".</param>
    public static LoopDevice Create(long size, params string[] options)
    {
        var folder = new TempFolder();
        try
        {
            string file = folder.Write("disk.img", []);
            using (FileStream stream = File.OpenWrite(file))
            {
                stream.SetLength(size);
            }

            return Attach(file, folder, options);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Makes a device from an existing file, which stays when the device goes.</summary>
    /// <param name="file">A file whose length is a multiple of the sector size.</param>
    /// <param name="options">More options for losetup, as "--read-only", "--offset=512".</param>
    public static LoopDevice FromFile(string file, params string[] options) => Attach(file, null, options);

    /// <summary>Detaches the device and removes what was made for it.</summary>
    public void Dispose()
    {
        _keeper.Dispose();
        WaitUntilDetached();
        _folder?.Dispose();
    }

    private static LoopDevice Attach(string file, TempFolder? folder, string[] options)
    {
        Root.Require("make loop devices");
        string device = Tool.Run("mount", "losetup", ["--find", "--show", .. options, file]);
        try
        {
            LinuxFile keeper = LinuxFile.Open(device, LinuxOpen.ReadOnly);

            // In use by us, so this does not detach it now but makes it detach with its last user.
            Tool.Run("mount", "losetup", "--detach", device);
            return new LoopDevice(device, file, keeper, folder);
        }
        catch
        {
            Tool.TryRun("mount", "losetup", "--detach", device);
            throw;
        }
    }

    /// <summary>Detaching is done by the kernel after the last close; udev may have the device open for a moment.</summary>
    private void WaitUntilDetached()
    {
        string link = $"/sys/block/{Name}/loop/backing_file";
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(5) && Backing(link) == BackingFile)
        {
            Thread.Yield();
        }

        if (Backing(link) == BackingFile)
        {
            throw new InvalidOperationException($"{Path} is still in use: the test left something open or mounted");
        }
    }

    private static string? Backing(string link)
    {
        try
        {
            return File.ReadAllText(link).TrimEnd('\n');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
