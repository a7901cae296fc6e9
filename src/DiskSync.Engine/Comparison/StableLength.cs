using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Comparison;

/// <summary>Refuses results about an image that grew or shrank while it was read.</summary>
internal static class StableLength
{
    /// <summary>Compares the length now with the length at the start.</summary>
    /// <exception cref="DiskSyncException">They differ (<see cref="FailureKind.Source"/>).</exception>
    public static void Check(IBlockDevice image)
    {
        long now = image.CurrentLength();
        if (now != image.Length)
        {
            throw new DiskSyncException(
                FailureKind.Source,
                $"image {image.Name}: {(now > image.Length ? "grew" : "shrank")} from {image.Length} to {now} bytes "
                    + "while it was read",
                "Stop what resizes it and run the command again.");
        }
    }
}
