using DiskSync.Codecs;

namespace DiskSync.Handoff.Ownership;

/// <summary>An image at the destination that the journal says is owned, and the seal that it must carry.</summary>
/// <param name="Image">The image's identity.</param>
/// <param name="Epoch">The epoch that is owned.</param>
/// <param name="Root">The root that was verified before PREPARED.</param>
public readonly record struct ImageToFinish(string Image, ulong Epoch, Hash256 Root)
{
    /// <summary>The attempt that brought it.</summary>
    public Guid Attempt { get; init; }

    /// <summary>Whether parts of it are still at the source: then it gets no name under which anybody would start it.</summary>
    public bool IsIncomplete { get; init; }

    internal static ImageToFinish Of(OwnershipEntry entry) =>
        new(entry.Image, entry.Epoch, entry.Root) { Attempt = entry.Attempt, IsIncomplete = entry.Kind.IsIncomplete() };
}
