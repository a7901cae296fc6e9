using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>The scan before the first write: is the target the delta's base, the result, or something between the two?</summary>
/// <remarks>Fed with the target's hashes in order, on one thread; reads the delta's records beside them.</remarks>
internal sealed class ApplyScan : IDisposable
{
    private readonly DeltaFile _delta;
    private readonly IBlockDevice _target;
    private readonly bool _begun;
    private readonly IEnumerator<DeltaRecord> _records;
    private readonly RootHasher _root;

    // Where the target still has its old length, its old root is proven as well: that covers what will be cut off.
    private readonly RootHasher? _oldRoot;
    private readonly AlignedBuffer _block;
    private readonly byte[] _scratch;
    private DeltaRecord _record;
    private bool _more;

    /// <summary>Begins a scan.</summary>
    /// <param name="delta">The delta.</param>
    /// <param name="target">The target.</param>
    /// <param name="begun">Whether a durable note says that this delta was being applied to this target.</param>
    public ApplyScan(DeltaFile delta, IBlockDevice target, bool begun)
    {
        _delta = delta;
        _target = target;
        _begun = begun;
        _root = new RootHasher(delta.Summary.NewGeometry);
        _oldRoot = target.Length == delta.Summary.OldGeometry.Length ? new RootHasher(delta.Summary.OldGeometry) : null;
        _block = new AlignedBuffer(delta.Summary.NewGeometry.Granularity);
        _scratch = new byte[delta.Summary.NewGeometry.Granularity];
        _records = delta.Records().GetEnumerator();
        _more = _records.MoveNext();
        _record = _more ? _records.Current : default;
    }

    /// <summary>Blocks that have to be written.</summary>
    public long ToWrite { get; private set; }

    /// <summary>Blocks that an earlier run wrote already.</summary>
    public long AlreadyNew { get; private set; }

    /// <summary>Takes the next of the target's hashes.</summary>
    /// <exception cref="DiskSyncException">A block is neither old nor new (<see cref="FailureKind.Preflight"/>).</exception>
    public void Take(HashRun run)
    {
        long first = run.First;
        long end = run.First + run.Count;
        while (first < end)
        {
            while (_more && _record.Block + _record.Count <= first)
            {
                Next();
            }

            long until = _more ? Math.Min(end, _record.Block > first ? _record.Block : _record.Block + _record.Count) : end;
            if (_more && _record.Block <= first)
            {
                Check(first, until - first, run.Hash);
                _root.AppendRun(until - first, _record.NewHash);
                _oldRoot?.AppendRun(until - first, _record.OldHash);
            }
            else
            {
                _oldRoot?.AppendRun(until - first, run.Hash);
                long inside = Math.Min(until, _delta.Summary.NewGeometry.BlockCount) - first;
                _root.AppendRun(Math.Max(0, inside), run.Hash);
            }

            first = until;
        }
    }

    /// <summary>Ends the scan: records past the target's end, and the root of everything together.</summary>
    /// <exception cref="DiskSyncException">The blocks that have no record are not the base's (<see cref="FailureKind.Preflight"/>).</exception>
    public void End()
    {
        while (_more)
        {
            long left = _record.Block + _record.Count - Math.Max(_record.Block, _root.BlocksAppended);
            if (left > 0)
            {
                ToWrite += left;
                _root.AppendRun(left, _record.NewHash);
            }

            Next();
        }

        if (_root.Finish() != _delta.Summary.NewRoot
            || (_oldRoot is not null && _oldRoot.Finish() != _delta.Summary.OldRoot))
        {
            throw NotTheBase($"blocks that {_delta.Name} does not change are not those of its base");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _records.Dispose();
        _block.Dispose();
    }

    private void Next()
    {
        _more = _records.MoveNext();
        _record = _more ? _records.Current : default;
    }

    private void Check(long first, long count, Hash256 found)
    {
        if (found == _record.NewHash)
        {
            AlreadyNew += count;
            return;
        }

        ToWrite += count;
        if (found != _record.OldHash && !_record.OldHash.IsUnknown && !IsHalfDone(first))
        {
            throw NotTheBase(
                $"the block at offset {_delta.Summary.NewGeometry.OffsetOf(first)} is neither what {_delta.Name} expects there nor what it makes of it");
        }
    }

    /// <summary>Whether a block is what an earlier run left: lengthened with zeros, or written in part.</summary>
    private bool IsHalfDone(long number)
    {
        BlockGeometry old = _delta.Summary.OldGeometry;
        int length = _delta.Summary.NewGeometry.LengthOf(number);
        int oldLength = old.LengthOf(number);
        if (!_begun && oldLength >= length)
        {
            return false;
        }

        Span<byte> block = _block.Span[..length];
        _target.Read(_delta.Summary.NewGeometry.OffsetOf(number), block);
        if (oldLength < length
            && ZeroCheck.IsZero(block[oldLength..])
            && Blake3.Hash(block[..oldLength]) == _record.OldHash)
        {
            return true;
        }

        if (!_begun)
        {
            return false;
        }

        try
        {
            DeltaBlock.Build(_record, block, _scratch);
            return true;
        }
        catch (FormatViolationException)
        {
            // Not a mixture of old and new: the target was changed by somebody else.
            return false;
        }
    }

    private DiskSyncException NotTheBase(string why) => new(
        FailureKind.Preflight,
        $"destination {_target.Name}: is not the delta's base: {why}",
        $"Nothing was written. The target must be a copy of the base, root hash {_delta.Summary.OldRoot} "
            + $"(disksync map --granularity {ByteSize.FormatExact(_delta.Summary.OldGeometry.Granularity)} TARGET).");
}
