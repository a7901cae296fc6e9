using System.Text;
using DiskSync.Codecs;

namespace DiskSync.Engine.Exports.Lending;

/// <summary>Where an export listens for migrations of its image.</summary>
public static class LendingSocket
{
    // A path of a Unix socket has 107 bytes in all, of which the state folder needs some.
    private const int NameLength = 16;

    /// <summary>The path of the socket.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    /// <param name="identity">The image's identity.</param>
    public static string PathOf(string stateFolder, string identity) => PathOf(stateFolder, identity, ".sock");

    /// <summary>The path of what is known of the image between two exports of it.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    /// <param name="identity">The image's identity.</param>
    public static string RecordPathOf(string stateFolder, string identity) => PathOf(stateFolder, identity, ".tracking");

    /// <summary>The path of a socket or file of an image's export.</summary>
    internal static string PathOf(string stateFolder, string identity, string ending) => Path.Combine(
        Path.GetFullPath(stateFolder), "exports", Blake3.Hash(Encoding.UTF8.GetBytes(identity)).ToString()[..NameLength] + ending);

    /// <summary>Makes the folder of an export's socket.</summary>
    internal static void MakeFolder(string path) => Directory.CreateDirectory(
        Path.GetDirectoryName(Path.GetFullPath(path))!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
}
