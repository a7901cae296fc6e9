using DiskSync.Engine.Journal;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A journal between a store and its file: tells the medium what is being flushed, and remembers what was promised.</summary>
internal sealed class ObservedJournal(TransferJournal inner, SimulatedMedium medium, HashSet<long> proven) : ITransferJournal
{
    public ulong FenceNumber => inner.FenceNumber;

    public void Withdraw(long firstPage, long pageCount)
    {
        for (long page = firstPage; page < firstPage + pageCount; page++)
        {
            proven.Remove(page);
        }

        During(FlushPoint.Withdraw, () => inner.Withdraw(firstPage, pageCount));
    }

    public void Claim(IReadOnlyList<PageClaim> pages)
    {
        During(FlushPoint.Claim, () => inner.Claim(pages));
        foreach (PageClaim run in pages)
        {
            for (long page = run.FirstPage; page < run.FirstPage + run.PageCount; page++)
            {
                proven.Add(page);
            }
        }
    }

    public void Dispose() => inner.Dispose();

    private void During(FlushPoint phase, Action action)
    {
        medium.Phase = phase;
        try
        {
            action();
        }
        finally
        {
            medium.Phase = FlushPoint.None;
        }
    }
}
