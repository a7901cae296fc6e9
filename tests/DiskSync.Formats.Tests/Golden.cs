using System.Runtime.CompilerServices;

namespace DiskSync.Formats.Tests;

/// <summary>Committed files that say what bytes a format version has. A difference is a new version, never an edit.</summary>
internal static class Golden
{
    /// <summary>Compares, or writes the file where DISKSYNC_WRITE_GOLDEN=1 asks for it.</summary>
    public static void Check(string name, byte[] actual)
    {
        string path = Path.Combine(Folder(), name);
        if (Environment.GetEnvironmentVariable("DISKSYNC_WRITE_GOLDEN") == "1" && !File.Exists(path))
        {
            File.WriteAllBytes(path, actual);
        }

        Assert.True(File.Exists(path), $"Golden/{name} is missing");
        Assert.Equal(Convert.ToHexString(File.ReadAllBytes(path)), Convert.ToHexString(actual));
    }

    /// <summary>The bytes of a golden file.</summary>
    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder(), name));

    private static string Folder([CallerFilePath] string here = "") =>
        Path.Combine(AppContext.BaseDirectory, "Golden") is var copied && Environment.GetEnvironmentVariable("DISKSYNC_WRITE_GOLDEN") != "1"
            ? copied
            : Path.Combine(Path.GetDirectoryName(here)!, "Golden");
}
