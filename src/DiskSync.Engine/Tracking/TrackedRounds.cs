using DiskSync.Codecs;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tracking;

/// <summary>What the rounds of a migration look at: what a tracker has reported, and everything where it is not to be trusted.</summary>
/// <remarks>
/// The first round scans, for nobody knows what was written before the tracking began; unless the tracker knows what was written
/// since a state that the destination holds (a return ticket). The audit of each round gives suspects:
/// blocks that differ though nobody has reported them. One whose write was still under way is reported with one of the
/// next two rounds, or with the last one, before which all writes were drained; one that is not was lost, and ends the trust
/// for good (safety rule 6). Blocks that are written again and again wait for the last round (<see cref="HotBlocks"/>). Not
/// thread safe.
/// </remarks>
public sealed class TrackedRounds : IDirtySource
{
    private const string Scan = "hash scan";

    private readonly IWriteTracking _tracking;
    private readonly BlockGeometry _geometry;
    private readonly Action<string> _warn;

    // How many rounds have not reported them.
    private readonly Dictionary<long, int> _suspects = [];
    private readonly HotBlocks _hot;
    private bool _hasBegun;

    /// <summary>Begins with a tracker that tracks already.</summary>
    /// <param name="tracking">The tracker; stays the caller's.</param>
    /// <param name="geometry">How the image is cut into blocks.</param>
    /// <param name="held">The root of what the destination holds; unknown where not all of it is known.</param>
    /// <param name="warn">Told when the tracker is not trusted any more.</param>
    public TrackedRounds(IWriteTracking tracking, BlockGeometry geometry, Hash256 held, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(tracking);
        StartsFromBaseline = !held.IsUnknown && held == tracking.Baseline;
        _tracking = tracking;
        _geometry = geometry;
        _warn = warn;
        _hot = new HotBlocks(geometry.BlockCount);
    }

    /// <summary>Bytes of blocks that no round has sent because they were written again and again; those that are dirty anew included.</summary>
    public long WaitingBytes => _hot.Count * _geometry.Granularity;

    /// <inheritdoc/>
    /// <remarks>Of the round that was marked last.</remarks>
    public string Name { get; private set; } = Scan;

    /// <summary>Whether the next round need not scan.</summary>
    public bool IsTrusted => Distrusted.Length == 0;

    /// <summary>Whether the first round looks only at what was written since a state that the destination holds.</summary>
    public bool StartsFromBaseline { get; }

    /// <summary>Why the tracker is not trusted any more, or empty.</summary>
    public string Distrusted { get; private set; } = string.Empty;

    /// <summary>How many blocks were audited.</summary>
    public long Audited { get; private set; }

    /// <summary>Whether no write can be under way any more.</summary>
    public bool IsFenced { get; set; }

    /// <inheritdoc/>
    public void MarkInto(DirtyBitmap bitmap)
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        Name = Scan;
        if (!IsTrusted)
        {
            bitmap.MarkAll();
            return;
        }

        DirtyBitmap written = new(_geometry.BlockCount);
        try
        {
            _ = _tracking.TakeInto(written, _geometry);
        }
        catch (DiskSyncException exception)
        {
            Distrust(exception.Message);
            bitmap.MarkAll();
            return;
        }

        if (_hasBegun)
        {
            ClearSuspects(written);
            if (!IsTrusted)
            {
                bitmap.MarkAll();
                return;
            }

            _hot.Split(written, bitmap, isLast: IsFenced);
            Name = _tracking.Name;
            return;
        }

        _hasBegun = true;
        _hot.Split(written, bitmap, isLast: true);
        MarkFirst(bitmap);
    }

    private void MarkFirst(DirtyBitmap bitmap)
    {
        if (!StartsFromBaseline)
        {
            bitmap.MarkAll();
            return;
        }

        try
        {
            _ = _tracking.SinceBaselineInto(bitmap, _geometry);
            Name = $"{_tracking.Name}, since the image came here";
        }
        catch (DiskSyncException exception)
        {
            Distrust(exception.Message);
            bitmap.MarkAll();
        }
    }

    /// <summary>Those that were reported are what the audit saw half done; the others are given one more round, and none in the pause.</summary>
    private void ClearSuspects(DirtyBitmap written)
    {
        foreach ((long block, int rounds) in _suspects.ToArray())
        {
            if (written.IsDirty(block) || _hot.IsWaiting(block))
            {
                _suspects.Remove(block);
            }
            else if (IsFenced || rounds > 0)
            {
                Distrust($"the block at offset {_geometry.OffsetOf(block)} was written without {_tracking.Name} telling");
                return;
            }
            else
            {
                _suspects[block] = rounds + 1;
            }
        }
    }

    /// <summary>Takes in what an audit after the round has found.</summary>
    public void Note(AuditResult audit)
    {
        ArgumentNullException.ThrowIfNull(audit);
        Audited += audit.Audited;
        foreach (long block in audit.Different)
        {
            _suspects.TryAdd(block, 0);
        }
    }

    /// <summary>Ends the trust: every later round scans.</summary>
    /// <param name="why">For the user.</param>
    public void Distrust(string why)
    {
        if (IsTrusted)
        {
            Distrusted = why;
            _warn($"{why.TrimEnd('.')}: its word is not taken any more, and everything is read and compared");
        }
    }
}
