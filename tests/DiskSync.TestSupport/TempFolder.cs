using System.Globalization;

namespace DiskSync.TestSupport;

/// <summary>A folder of its own for one test, removed with everything in it.</summary>
/// <remarks>
/// Safe in parallel. What a killed test process left is found by the process id in the folder's name and taken
/// away by the next one that starts.
/// </remarks>
public sealed class TempFolder : IDisposable
{
    private const string Prefix = "disksync-test-";

    static TempFolder()
    {
        Sweep();
    }

    /// <summary>Makes the folder, under the system's temporary folder unless another is named.</summary>
    public TempFolder(string? parent = null)
    {
        Path = System.IO.Path.Join(
            parent ?? System.IO.Path.GetTempPath(), $"{Prefix}{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    /// <summary>The folder's full path.</summary>
    public string Path { get; }

    /// <summary>The path of a name in it; nothing is made.</summary>
    public string File(string name) => System.IO.Path.Join(Path, name);

    /// <summary>Writes a file in it and returns its path.</summary>
    public string Write(string name, ReadOnlySpan<byte> content)
    {
        string path = File(name);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    /// <inheritdoc/>
    public void Dispose() => Remove(Path);

    private static void Remove(string folder)
    {
        // A mount that a failed test left inside must not have its content deleted.
        foreach (string mount in MountsBeneath(folder))
        {
            Tool.TryRun("mount", "umount", "-l", mount);
        }

        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string> MountsBeneath(string folder) =>
        [.. System.IO.File.ReadLines("/proc/self/mounts")
            .Select(line => line.Split(' ')[1])
            .Where(mount => mount == folder || mount.StartsWith(folder + "/", StringComparison.Ordinal))
            .Reverse()];

    private static void Sweep()
    {
        foreach (string folder in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            string rest = System.IO.Path.GetFileName(folder)[Prefix.Length..];
            if (int.TryParse(rest.Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && !Directory.Exists($"/proc/{process}"))
            {
                try
                {
                    Remove(folder);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // Another test process sweeps at the same time, or it is another user's.
                }
            }
        }
    }
}
