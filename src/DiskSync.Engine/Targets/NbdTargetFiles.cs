using System.Text;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Engine.Runs;

namespace DiskSync.Engine.Targets;

/// <summary>The files of a target that is an NBD export: those of a device, and its URI, by which it is found again after a kill.</summary>
internal static class NbdTargetFiles
{
    private const string UriName = "uri";

    /// <summary>Opens them, and keeps the URI; durable when this returns.</summary>
    /// <param name="stateFolder">The host's state folder.</param>
    /// <param name="uri">The export.</param>
    public static TargetPaths Open(string stateFolder, string uri)
    {
        string id = NbdImage.IdOf(NbdImage.Parse(uri));
        TargetPaths paths = TargetPaths.OfDevice(stateFolder, id, uri, uri);
        string kept = UriPath(stateFolder, id);
        if (!File.Exists(kept) || File.ReadAllText(kept) != uri)
        {
            using AtomicFileStream file = AtomicFileStream.Create(kept);
            file.Write(Encoding.UTF8.GetBytes(uri));
            file.Commit();
        }

        return paths;
    }

    /// <summary>Opens them by the export's identity.</summary>
    /// <exception cref="DiskSyncException">Nothing is known of it here.</exception>
    public static TargetPaths Find(string stateFolder, string identity)
    {
        string kept = UriPath(stateFolder, identity[ImageIdentity.DevicePrefix.Length..]);
        return File.Exists(kept) ? Open(stateFolder, File.ReadAllText(kept)) : throw new DiskSyncException(
            FailureKind.OwnershipInDoubt,
            $"destination {identity}: the export is owned here, but {kept}, which says where it is, is gone",
            "Run 'disksync owner' with its URI.");
    }

    private static string UriPath(string stateFolder, string id) =>
        Path.Join(StateFolder.Create(Path.Join(stateFolder, "devices", id)), UriName);
}
