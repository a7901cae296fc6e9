using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>What a migration did, in the parts of the paper's Table 1.</summary>
public sealed record MigrationResult
{
    /// <summary>The attempt.</summary>
    public required Guid Attempt { get; init; }

    /// <summary>The epoch that passed to the destination.</summary>
    public required ulong Epoch { get; init; }

    /// <summary>The images' roots, proven equal on both sides.</summary>
    public required IReadOnlyList<Hash256> Roots { get; init; }

    /// <summary>For each image its rounds, the final delta last.</summary>
    public required IReadOnlyList<IReadOnlyList<RoundResult>> Rounds { get; init; }

    /// <summary>What the pause was expected to take.</summary>
    public required Forecast Forecast { get; init; }

    /// <summary>The downtime that was accepted.</summary>
    public required TimeSpan MaxDowntime { get; init; }

    /// <summary>The proof before the pause.</summary>
    public required TimeSpan Proof { get; init; }

    /// <summary>The pause itself: the command, or from when QEMU stopped the machine until it was drained.</summary>
    public required TimeSpan Pause { get; init; }

    /// <summary>The last scan and delta.</summary>
    public required TimeSpan FinalDelta { get; init; }

    /// <summary>Flushing and reading back the last delta, and comparing the roots.</summary>
    public required TimeSpan FinalProof { get; init; }

    /// <summary>The rest of the machine's memory, sent in the pause; zero where no memory moves.</summary>
    public required TimeSpan Memory { get; init; }

    /// <summary>From Prepare to the destination's durable OWNER.</summary>
    public required TimeSpan HandOver { get; init; }

    /// <summary>From OWNER until the resume command had ended.</summary>
    public required TimeSpan Resume { get; init; }

    /// <summary>From the start of the pause to the end of the resume command.</summary>
    public required TimeSpan Downtime { get; init; }

    /// <summary>All of it, connecting included.</summary>
    public required TimeSpan Total { get; init; }

    /// <summary>Bytes from source to destination.</summary>
    public required long BytesSent { get; init; }

    /// <summary>Bytes from destination to source.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>The bases that the copies started from, or empty texts.</summary>
    public required IReadOnlyList<string> Bases { get; init; }

    /// <summary>What the destination wants its user to know.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>For each image on what it rests that the source is what was sent.</summary>
    public required IReadOnlyList<string> SourceBases { get; init; }

    /// <summary>How long the source was read again after the machine had been resumed; zero where it was not.</summary>
    public TimeSpan FullVerify { get; init; }

    /// <summary>Bytes that were still at the source when the machine ran at the destination; 0 where none were.</summary>
    public long TailBytes { get; init; }

    /// <summary>From then until the destination was whole.</summary>
    public TimeSpan Tail { get; init; }

    /// <summary>How the hand-over ended.</summary>
    public required HandOverResult Outcome { get; init; }
}
