namespace DiskSync.Engine.Exports.Lending;

/// <summary>Knows what has become of a lent image; the ownership journal is the one that knows.</summary>
public interface ILendingJudge
{
    /// <summary>Asks; called again until it is decided.</summary>
    /// <returns>Undecided for as long as the borrower may still change the answer.</returns>
    LendingFate Judge();
}
