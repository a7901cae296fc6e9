namespace DiskSync.Engine.Journal;

/// <summary>What a target's journal can promise about its map's pages (Formats/Journal/FORMAT.md, "Transfer journal").</summary>
/// <remarks>A page is 256 blocks. Calls come from one thread at a time; each is durable when it returns.</remarks>
public interface ITransferJournal : IDisposable
{
    /// <summary>The newest session's fencing number.</summary>
    ulong FenceNumber { get; }

    /// <summary>Withdraws the claims on pages; must be durable before a block of them is first overwritten (safety rule 4).</summary>
    void Withdraw(long firstPage, long pageCount);

    /// <summary>Claims pages again; image and map have been flushed before.</summary>
    /// <param name="pages">The pages, as runs in order.</param>
    void Claim(IReadOnlyList<PageClaim> pages);
}
