using DiskSync.Engine.Journal;

namespace DiskSync.Engine.Tests.Journal;

/// <summary>Journals have their own tests.</summary>
internal sealed class ForgetfulJournal : ITransferJournal
{
    public ulong FenceNumber => 1;

    public void Withdraw(long firstPage, long pageCount)
    {
        // Nothing is proven here.
    }

    public void Claim(IReadOnlyList<PageClaim> pages)
    {
        // Nothing is proven here.
    }

    public void Dispose()
    {
        // Nothing to close.
    }
}
