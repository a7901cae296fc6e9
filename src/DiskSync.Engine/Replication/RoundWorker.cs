using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Fills batches: claims runs, reads and hashes them, and keeps what the destination does not hold.</summary>
/// <remarks>
/// One worker owns a block from its claim until its batch is full (design section 3); nothing here is shared with
/// other workers but the plan, the map and the bitmap, each of which has its own lock.
/// </remarks>
internal sealed class RoundWorker
{
    private readonly ImageContext _image;
    private readonly RoundPlan _plan;
    private readonly RoundCounters _counters;

    public RoundWorker(ImageContext image, RoundPlan plan, RoundCounters counters)
    {
        _image = image;
        _plan = plan;
        _counters = counters;
    }

    /// <summary>Fills a batch.</summary>
    /// <returns>False where the round has nothing more to claim; the batch may still hold something.</returns>
    /// <exception cref="ImageIOException">The source could not be read; what was claimed for it is dirty again.</exception>
    public bool Fill(SendBatch batch, CancellationToken cancellationToken)
    {
        while (!batch.IsFull)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_plan.TryTake(batch.FreeBlocks, out BlockRun run))
            {
                return false;
            }

            Interlocked.Add(ref _counters.BlocksScanned, run.Count);
            FillFrom(run, batch);
            Interlocked.Add(ref _counters.BytesDone, BytesOf(run));
        }

        return true;
    }

    private void FillFrom(BlockRun run, SendBatch batch)
    {
        BlockRun rest = run;
        try
        {
            foreach ((BlockRun part, bool isZero) in BlockClassifier.Classify(_image.Source, _image.Geometry, run))
            {
                long taken = isZero ? AddZeros(part, batch) : AddData(part, batch);
                rest = new BlockRun(rest.First + taken, rest.Count - taken);
                if (taken < part.Count)
                {
                    break;
                }
            }
        }
        catch
        {
            _image.Dirty.Fail(rest);
            throw;
        }

        if (rest.Count > 0)
        {
            // The batch is full; whoever fills the next one goes on here.
            Interlocked.Add(ref _counters.BlocksScanned, -rest.Count);
            Interlocked.Add(ref _counters.BytesDone, -BytesOf(rest));
            _plan.GiveBack(rest);
        }
    }

    private long AddZeros(BlockRun run, SendBatch batch)
    {
        // The short last block has a zero hash of its own.
        long last = run.First + run.Count - 1;
        bool shortTail = _image.Geometry.LengthOf(last) != _image.Geometry.Granularity;
        BlockRun whole = shortTail ? run with { Count = run.Count - 1 } : run;
        long taken = whole.Count > 0 ? AddEqualZeros(whole, batch) : 0;
        return shortTail && taken == whole.Count ? taken + AddEqualZeros(new BlockRun(last, 1), batch) : taken;
    }

    private long AddEqualZeros(BlockRun run, SendBatch batch)
    {
        Hash256 zero = _image.ZeroHashOf(run.First);
        long taken = 0;
        foreach (HashRun held in _image.Map.GetRuns(run.First, run.Count))
        {
            BlockRun part = new(run.First + taken, held.Count);
            if (held.Hash == zero)
            {
                _image.Dirty.Release(part);
            }
            else if (batch.IsFull)
            {
                break;
            }
            else
            {
                batch.ZeroRuns.Add(part);
                Interlocked.Add(ref _counters.BlocksChanged, part.Count);
                Interlocked.Add(ref _counters.ZeroBlocks, part.Count);
            }

            taken += held.Count;
        }

        return taken;
    }

    private long AddData(BlockRun part, SendBatch batch)
    {
        long count = Math.Min(part.Count, batch.FreeBlocks);
        if (count == 0 || batch.IsFull)
        {
            return 0;
        }

        int slot = batch.Blocks.Count;
        BlockRun run = new(part.First, count);
        int bytes = (int)BytesOf(run);
        _image.Source.Read(_image.Geometry.OffsetOf(run.First), batch.Slots(slot, bytes));
        Interlocked.Add(ref _counters.BytesRead, bytes);
        for (int i = 0; i < count; i++)
        {
            AddBlock(run.First + i, slot + i, batch);
        }

        return count;
    }

    private void AddBlock(long block, int slot, SendBatch batch)
    {
        int length = _image.Geometry.LengthOf(block);
        Span<byte> content = batch.Slots(slot, length);
        Hash256 held = _image.Map.Get(block);
        bool isZero = ZeroCheck.IsZero(content);
        PatchBasis basis = isZero ? PatchBasis.None : _image.BasisOf(block, held);
        Hash256 hash = isZero
            ? _image.ZeroHashOf(block)
            : Blake3.HashBlock(content, basis == PatchBasis.Content ? batch.PrefixesOf(slot)[..SubBlocksOf(length)] : []);
        if (hash == held)
        {
            _image.Dirty.Release(new BlockRun(block, 1));
            return;
        }

        Interlocked.Increment(ref _counters.BlocksChanged);
        if (isZero)
        {
            batch.ZeroRuns.Add(new BlockRun(block, 1));
            Interlocked.Increment(ref _counters.ZeroBlocks);
            return;
        }

        int target = batch.Blocks.Count;
        batch.Move(slot, target, length);
        batch.Blocks.Add(new SendBlock(block, target, length, hash, basis));
        Interlocked.Add(ref _counters.ChangedBytes, length);
    }

    private static int SubBlocksOf(int length) =>
        (length + BlockGeometry.SubBlockSize - 1) / BlockGeometry.SubBlockSize;

    private long BytesOf(BlockRun run) =>
        Math.Min(_image.Geometry.OffsetOf(run.First + run.Count), _image.Geometry.Length) - _image.Geometry.OffsetOf(run.First);
}
