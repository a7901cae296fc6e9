using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tail;

/// <summary>What blocks of the source's frozen image hash to, as far as that is known.</summary>
/// <remarks>Thread safe.</remarks>
public interface ITailHashes
{
    /// <summary>How the image is cut into blocks.</summary>
    BlockGeometry Geometry { get; }

    /// <summary>A block's hash, or unknown.</summary>
    Hash256 HashOf(long block);
}
