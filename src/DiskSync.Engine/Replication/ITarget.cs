using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.Tail;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>One target that is open for a session: locked, staged and writable.</summary>
/// <remarks>Used by one session's thread at a time. Dispose releases the lock and keeps what is staged.</remarks>
public interface ITarget : IDisposable
{
    /// <summary>The target's name as the source gave it.</summary>
    string Name { get; }

    /// <summary>The path that is written.</summary>
    string StagedAs { get; }

    /// <summary>What the target held when it was opened.</summary>
    TargetState State { get; }

    /// <summary>The base that the staged copy started from, or empty.</summary>
    string BaseUsed { get; }

    /// <summary>Something that the user should know about how the target was opened, or empty.</summary>
    string Notice { get; }

    /// <summary>The epoch of the image that stands at the target's name, or 0.</summary>
    ulong Epoch { get; }

    /// <summary>The blocks, their map and their journal.</summary>
    TargetStore Store { get; }

    /// <summary>Keeps the copy as it is now as an image of its own, where that costs next to nothing.</summary>
    /// <param name="round">The round that has ended; with the first one the rounds of an earlier copy go.</param>
    /// <returns>Where it is kept; empty, and why not, where it cannot be.</returns>
    (string Path, string Why) KeepRound(uint round);

    /// <summary>Does, durably, all of <see cref="Finish"/> that can be done before the ownership has moved: mode, owner and map.</summary>
    /// <exception cref="DiskSyncException">It cannot be done, or part of the copy is unknown.</exception>
    void PrepareFinish();

    /// <summary>After <see cref="PrepareFinish"/>: makes durable which parts of the copy are missing (<see cref="TargetStore.Missing"/>), and where they are.</summary>
    /// <param name="seal">Where they are.</param>
    /// <exception cref="DiskSyncException">It cannot be done, or this target cannot have a tail (kind Preflight).</exception>
    void PrepareTail(TailSealRecord seal);

    /// <summary>Gives the staged copy its name and its seal; durable when it returns. The store is closed by it, and with it the lock given back: whoever owns the image now may open it.</summary>
    /// <param name="seal">What the seal records.</param>
    /// <returns>The image's path.</returns>
    /// <exception cref="DiskSyncException">The copy does not have the root, or cannot be renamed.</exception>
    string Finish(SealRequest seal);

    /// <summary>Deletes the staged copy and its state; never the image that stands at the target's name.</summary>
    void Discard();
}
