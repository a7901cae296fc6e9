using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.SavedMap;

/// <summary>Where the levels of a saved map's tree stand in its file (FORMAT.md).</summary>
/// <remarks>Immutable, thread safe.</remarks>
/// <param name="geometry">The image's geometry.</param>
public sealed class SavedMapLayout(BlockGeometry geometry)
{
    /// <summary>What the 256 hashes of a group take.</summary>
    public const int GroupBytes = MapNode.Fanout * Hash256.Size;

    /// <summary>The image's geometry.</summary>
    public BlockGeometry Geometry { get; } = geometry;

    /// <summary>The level that has one node alone.</summary>
    public int TopLevel { get; } = MapNode.TopLevel(geometry.BlockCount);

    /// <summary>The length of the file in bytes.</summary>
    public long Length => OffsetOf(TopLevel, 0) + Hash256.Size;

    /// <summary>The groups of a level: each is the children of one node of the level above.</summary>
    /// <param name="level">0, the block hashes, up to the one below <see cref="TopLevel"/>.</param>
    public long GroupsAt(int level) => MapNode.CountAt(Geometry.BlockCount, level + 1);

    /// <summary>How many hashes a group has; the last one of a level may have fewer than 256.</summary>
    /// <param name="level">The level of the hashes.</param>
    /// <param name="group">The group's number.</param>
    public int CountOf(int level, long group) =>
        (int)Math.Min(MapNode.Fanout, MapNode.CountAt(Geometry.BlockCount, level) - (group * MapNode.Fanout));

    /// <summary>Where a group begins in the file.</summary>
    /// <param name="level">The level of the hashes, up to <see cref="TopLevel"/>, whose only hash is a group of its own.</param>
    /// <param name="group">The group's number.</param>
    public long OffsetOf(int level, long group)
    {
        long start = 0;
        for (int below = 0; below < level; below++)
        {
            start += GroupsAt(below) * GroupBytes;
        }

        return start + (group * GroupBytes);
    }
}
