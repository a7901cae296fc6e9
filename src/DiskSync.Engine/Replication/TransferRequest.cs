using DiskSync.Engine.Blocks;
using DiskSync.Engine.SavedMaps;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>One image that is to be sent.</summary>
/// <param name="Source">The image, open for reading.</param>
/// <param name="Name">The target's name at the destination.</param>
/// <param name="Geometry">How it is cut into blocks.</param>
public sealed record TransferRequest(IBlockDevice Source, string Name, BlockGeometry Geometry)
{
    /// <summary>How the target is to be written.</summary>
    public OpenFlags Flags { get; init; }

    /// <summary>Which base the copy starts from.</summary>
    public BaseRequest Base { get; init; } = BaseRequest.Auto;

    /// <summary>Permission bits for the new image, or null for those of the image it replaces.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>user:group for the new image, or empty.</summary>
    public string Owner { get; init; } = string.Empty;

    /// <summary>Where maps of sources are saved, or null where none is to be believed or saved.</summary>
    public SavedMapStore? Maps { get; init; }

    /// <summary>Whoever tracks the source's writes and tracks already; null where every round has to scan. Stays its opener's.</summary>
    public IWriteTracking? Tracking { get; init; }

    /// <summary>Whether a saved map is passed over, and all of the source read.</summary>
    public bool Rescan { get; init; }

    /// <summary>The source's map where it is believed: then nothing need be read to know what the source holds.</summary>
    public SavedMap? Known { get; init; }
}
