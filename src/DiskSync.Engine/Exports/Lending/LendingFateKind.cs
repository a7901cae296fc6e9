namespace DiskSync.Engine.Exports.Lending;

/// <summary>Whose an image is after a migration.</summary>
public enum LendingFateKind
{
    /// <summary>This host's: nothing was handed over, or it was taken back. Writes go on.</summary>
    Ours,

    /// <summary>Nobody here can say yet: the borrower still lives, or it has ceded and the destination's answer is not known. Writes wait.</summary>
    Undecided,

    /// <summary>Another host's. Writes fail.</summary>
    Gone,
}
