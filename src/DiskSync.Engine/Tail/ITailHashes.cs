using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tail;

/// <summary>What blocks of the source's frozen image hash to, as far as that is known.</summary>
/// <remarks>Thread safe.</remarks>
public interface ITailHashes
{
    /// <summary>How the image is cut into blocks.</summary>
    BlockGeometry Geometry { get; }

    /// <summary>Whether what was fetched of a block may be what the source held.</summary>
    /// <param name="block">The block.</param>
    /// <param name="hash">What was fetched hashes to.</param>
    /// <returns>False where it is known to be something else.</returns>
    bool Accept(long block, Hash256 hash);
}
