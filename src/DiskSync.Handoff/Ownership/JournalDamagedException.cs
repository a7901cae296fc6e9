using DiskSync.Engine;

namespace DiskSync.Handoff.Ownership;

/// <summary>The ownership journal is there but not whole, so nothing on this host may be written (design section 5).</summary>
public sealed class JournalDamagedException : DiskSyncException
{
    /// <summary>Describes the damage.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="damage">What was found.</param>
    /// <param name="inner">The cause, for the log.</param>
    public JournalDamagedException(string path, string damage, Exception? inner = null)
        : base(
            FailureKind.OwnershipInDoubt,
            $"the ownership journal {path} is damaged: {damage}",
            "No image of this host may be written now. Find out where each VM runs; if the other host is fenced, "
                + "'disksync owner --force IMAGE' puts the damaged journal aside and takes that one image.",
            inner) => Path = path;

    /// <summary>The journal's path.</summary>
    public string Path { get; }
}
