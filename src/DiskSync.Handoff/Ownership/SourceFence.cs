using DiskSync.Engine;
using DiskSync.Engine.Targets;
using DiskSync.Linux;

namespace DiskSync.Handoff.Ownership;

/// <summary>The preflight of safety rule 8: what a rename cannot make unusable to others is refused before anything is copied.</summary>
public static class SourceFence
{
    /// <summary>Refuses a source that stays usable after it was ceded: a device, an NBD export, or a file that has other names.</summary>
    /// <param name="image">The image's identity.</param>
    /// <exception cref="DiskSyncException">Its user has to accept that (kind Preflight).</exception>
    public static void RefuseUnfenced(string image)
    {
        if (ImageIdentity.IsNbd(image))
        {
            throw Refusal(image, "it is an NBD export, which nothing here keeps other clients of its server from");
        }

        if (ImageIdentity.IsDevice(image))
        {
            throw Refusal(image, "it is a block device, which cannot be made unusable to others by a rename");
        }

        if (FileStat.IfExists(image) is { Kind: FileKind.Regular, Links: > 1 } stat)
        {
            throw Refusal(
                image,
                $"the file has {stat.Links} names (hard links), and renaming this one leaves the image usable under the others");
        }
    }

    /// <summary>Refuses one file that is given twice under different names.</summary>
    /// <param name="images">The identities of an attempt's images.</param>
    /// <exception cref="DiskSyncException">Two of them are the same file (kind Usage).</exception>
    public static void RefuseTwice(IReadOnlyList<string> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        List<(string Image, FileStat Stat)> seen = [];
        foreach (string image in images)
        {
            // Devices have one identity whatever they are called.
            if (ImageIdentity.IsDevice(image) || FileStat.IfExists(image) is not { } stat)
            {
                continue;
            }

            if (seen.Find(s => s.Stat.IsSameFileAs(stat)) is { Image: { } other })
            {
                throw new DiskSyncException(
                    FailureKind.Usage, $"source: {other} and {image} are the same file", "Name each image once.");
            }

            seen.Add((image, stat));
        }
    }

    private static DiskSyncException Refusal(string image, string why) => new(
        FailureKind.Preflight,
        $"source {image}: {why}, so after the hand-over nothing but you keeps its guest from being started here",
        "If you take care of that, add --accept-unfenced.");
}
