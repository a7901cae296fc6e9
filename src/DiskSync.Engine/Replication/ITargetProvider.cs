using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Opens targets and offers bases: files and devices under a root, or a simulation of them.</summary>
/// <remarks>Thread safe. Everything that a peer names is checked here, once (safety rule 11).</remarks>
public interface ITargetProvider
{
    /// <summary>The images that a copy could start from, the one at the target's name first.</summary>
    IReadOnlyList<BaseOffer> ListBases(ListBases request);

    /// <summary>The map of a base that was offered with a known root.</summary>
    /// <returns>Null where no base has this root; otherwise owned by the caller.</returns>
    PagedMap? OpenBaseMap(Hash256 root, BlockGeometry geometry);

    /// <summary>The contents that its images hold already.</summary>
    /// <param name="granularity">The copy's granularity.</param>
    /// <param name="cancellationToken">Stops looking.</param>
    /// <returns>Null where there are none; otherwise owned by the caller.</returns>
    ISeedLibrary? OpenSeeds(int granularity, CancellationToken cancellationToken) => null;

    /// <summary>Tells whether what stands at a target's name is what the source has, without opening it for writing.</summary>
    /// <param name="request">What the source has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer; where anything is in doubt it is no, and the source opens the target.</returns>
    /// <exception cref="DiskSyncException">The name is refused (kind Preflight).</exception>
    ImageChecked Check(CheckImage request, CancellationToken cancellationToken) =>
        new(false, string.Empty, 0, "nothing is known of what stands there");

    /// <summary>Locks a target and makes it writable: resumed, cloned from a base, or empty.</summary>
    /// <param name="request">What the source asks for.</param>
    /// <param name="session">The session, for the journal and for messages.</param>
    /// <param name="progress">Called while hashing or cloning takes time.</param>
    /// <param name="guard">Called when the target's lock is held and nothing of it is touched: throws where nobody may write it now.</param>
    /// <param name="cancellationToken">Ends the opening; what was staged before stays.</param>
    /// <exception cref="DiskSyncException">The target is refused (kind Preflight) or cannot be used.</exception>
    ITarget Open(
        OpenImage request,
        Guid session,
        Action<ProgressPhase, long, long> progress,
        Action guard,
        CancellationToken cancellationToken);
}
