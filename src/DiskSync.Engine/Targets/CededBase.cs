using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>A handed-over image as a base: with its seal and map beside it, the way back needs to hash nothing here.</summary>
/// <remarks>The seal speaks of NAME.ceded-EPOCH and makes nothing bootable: what may be run is told by NAME and its own seal.</remarks>
public static class CededBase
{
    /// <summary>Puts map and seal beside the image.</summary>
    /// <param name="path">NAME.ceded-EPOCH.</param>
    /// <param name="map">What it holds, all of it known and proven to be so.</param>
    /// <param name="seal">The root, the epoch and the attempt.</param>
    /// <returns>Why that could not be done, or empty: then the way back hashes it.</returns>
    public static string TrySeal(string path, PagedMap map, SealRequest seal)
    {
        try
        {
            using TargetPaths paths = TargetPaths.OfCeded(path);
            TargetSealer.SealStanding(paths, map, seal);
            return string.Empty;
        }
        catch (Exception exception) when (exception is DiskSyncException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return exception.Message;
        }
    }

    /// <summary>Removes map and seal of an image that has its own name again; best effort, for they speak of no file any more.</summary>
    /// <param name="path">NAME.ceded-EPOCH.</param>
    public static void Remove(string path)
    {
        try
        {
            using TargetPaths paths = TargetPaths.OfCeded(path);
            paths.Remove(paths.Seal);
            paths.Remove(paths.Map);
        }
        catch (IOException)
        {
            // 'disksync clean' finds them.
        }
    }
}
