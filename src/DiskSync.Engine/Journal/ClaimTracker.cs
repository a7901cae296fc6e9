using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Journal;

/// <summary>Which pages of a target's map the journal claims, and what a checkpoint may claim anew.</summary>
/// <remarks>
/// A page's claim is withdrawn durably before one of its blocks is written; a checkpoint claims what was not written
/// since it began. Not thread safe: the <see cref="TargetStore"/> that owns it calls it under its lock. The journal stays
/// the store's.
/// </remarks>
internal sealed class ClaimTracker
{
    // Claims are withdrawn this many pages ahead of a writer that moves on, so that it does not wait for a flush each time;
    // each time twice as many while it does move on, so that a huge sparse image does not take thousands of flushes. What
    // was withdrawn and not written is claimed again at the next checkpoint.
    private const int WithdrawAhead = 16;
    private const int MostAhead = 4096;

    private readonly ITransferJournal _journal;
    private readonly BlockGeometry _geometry;
    private readonly long _pageCount;
    private readonly DirtyBitmap _withdrawn;

    // Pages whose claim in the journal says that they were read back.
    private readonly DirtyBitmap _claimedReadBack;

    private long _ahead = WithdrawAhead;
    private long _withdrawnTo = long.MaxValue;

    // Pages that were written while a checkpoint is flushing: it may not claim them. Null while none is.
    private HashSet<long>? _touched;

    /// <summary>Starts from what the journal says.</summary>
    /// <param name="journal">The journal, with this session begun in it.</param>
    /// <param name="geometry">How the image is cut into blocks.</param>
    /// <param name="withdrawn">Pages without a claim.</param>
    /// <param name="unread">Pages that are claimed but have not been read back.</param>
    public ClaimTracker(
        ITransferJournal journal, BlockGeometry geometry, IEnumerable<PageClaim> withdrawn, IEnumerable<PageClaim> unread)
    {
        _journal = journal;
        _geometry = geometry;
        _pageCount = (geometry.BlockCount + PagedMap.PageBlocks - 1) / PagedMap.PageBlocks;
        _withdrawn = new DirtyBitmap(_pageCount);
        _claimedReadBack = new DirtyBitmap(_pageCount);
        _claimedReadBack.MarkAll();
        foreach (PageClaim pages in withdrawn)
        {
            _withdrawn.Mark(pages.FirstPage, pages.PageCount);
            _claimedReadBack.Clear(pages.FirstPage, pages.PageCount);
        }

        foreach (PageClaim pages in unread)
        {
            _claimedReadBack.Clear(pages.FirstPage, pages.PageCount);
        }
    }

    /// <summary>Whether some page has no claim.</summary>
    public bool AnyWithdrawn => _withdrawn.Count > 0;

    /// <summary>The blocks of neighbouring pages.</summary>
    public BlockRun BlocksOf(long firstPage, long pageCount)
    {
        long first = firstPage * PagedMap.PageBlocks;
        return new BlockRun(first, Math.Min(pageCount * PagedMap.PageBlocks, _geometry.BlockCount - first));
    }

    /// <summary>Makes sure, durably, that no block of a run is claimed.</summary>
    public void Withdraw(BlockRun run)
    {
        Touch(run);
        long first = run.First / PagedMap.PageBlocks;
        long last = (run.End - 1) / PagedMap.PageBlocks;
        for (long page = first; page <= last; page++)
        {
            if (_withdrawn.IsDirty(page))
            {
                continue;
            }

            bool movesOn = page >= _withdrawnTo && page - _withdrawnTo < _ahead;
            _ahead = movesOn ? Math.Min(_ahead * 2, MostAhead) : WithdrawAhead;
            long end = Math.Min(_pageCount, Math.Max(last + 1, page + _ahead));
            _journal.Withdraw(page, end - page);
            _withdrawn.Mark(page, end - page);
            _withdrawnTo = end;
            page = end - 1;
        }
    }

    /// <summary>A checkpoint begins: what is written from here on it does not claim.</summary>
    /// <param name="writing">What is being written now: it may reach the medium after the flush.</param>
    public void BeginCheckpoint(IEnumerable<BlockRun> writing)
    {
        _touched = [];
        foreach (BlockRun run in writing)
        {
            Touch(run);
        }
    }

    /// <summary>Everything that was written before the checkpoint began is durable: it is claimed.</summary>
    /// <param name="unread">Blocks that have not been read back since they were written.</param>
    /// <returns>Whether pages are left without a claim because they were written meanwhile.</returns>
    public bool EndCheckpoint(DirtyBitmap unread)
    {
        _journal.Claim(ChangedClaims(unread));
        long page = 0;
        foreach (long kept in _touched!.Order())
        {
            _withdrawn.Clear(page, kept - page);
            page = kept + 1;
        }

        _withdrawn.Clear(page, _pageCount - page);
        (_ahead, _withdrawnTo) = (WithdrawAhead, long.MaxValue);
        bool isLeft = _touched!.Count > 0;
        _touched = null;
        return isLeft;
    }

    private void Touch(BlockRun run)
    {
        for (long page = run.First / PagedMap.PageBlocks; page <= (run.End - 1) / PagedMap.PageBlocks; page++)
        {
            _touched?.Add(page);
        }
    }

    /// <summary>The pages whose claim is not in the journal as it holds now, as runs.</summary>
    private List<PageClaim> ChangedClaims(DirtyBitmap unread)
    {
        List<PageClaim> claims = [];
        for (long page = 0; page < _pageCount; page++)
        {
            if (_touched!.Contains(page))
            {
                continue;
            }

            BlockRun run = BlocksOf(page, 1);
            bool readBack = unread.NextDirty(run.First, run.End) == run.End;
            if (!_withdrawn.IsDirty(page) && readBack == _claimedReadBack.IsDirty(page))
            {
                continue;
            }

            if (readBack)
            {
                _claimedReadBack.Mark(page, 1);
            }
            else
            {
                _claimedReadBack.Clear(page, 1);
            }

            PageClaim last = claims.Count > 0 ? claims[^1] : default;
            if (claims.Count > 0 && last.FirstPage + last.PageCount == page && last.ReadBack == readBack)
            {
                claims[^1] = last with { PageCount = last.PageCount + 1 };
            }
            else
            {
                claims.Add(new PageClaim(page, 1, readBack));
            }
        }

        return claims;
    }
}
