using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Targets;

/// <summary>What opening a target works with.</summary>
/// <param name="Paths">The target's files.</param>
/// <param name="Geometry">The image's geometry.</param>
/// <param name="Request">What the source asks for.</param>
/// <param name="Session">The session.</param>
/// <param name="Progress">Called while hashing or cloning takes time.</param>
/// <param name="Guard">Called under the target's lock, before anything is touched: throws where nobody may write it now.</param>
/// <param name="CancellationToken">Ends the opening.</param>
internal sealed record TargetOpening(
    TargetPaths Paths,
    BlockGeometry Geometry,
    OpenImage Request,
    Guid Session,
    Action<ProgressPhase, long, long> Progress,
    Action Guard,
    CancellationToken CancellationToken)
{
    /// <summary>Whether the target itself is written.</summary>
    public bool InPlace => Request.Flags.HasFlag(OpenFlags.InPlace);

    /// <summary>Whether what is staged is thrown away.</summary>
    public bool Fresh => Request.Flags.HasFlag(OpenFlags.Fresh);
}
