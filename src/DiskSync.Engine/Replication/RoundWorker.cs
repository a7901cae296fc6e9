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
    // What is read at once: it is still in the core's second-level cache when it is hashed.
    private const int ReadBytes = 256 << 10;

    private readonly ImageContext _image;
    private readonly RoundPlan _plan;
    private readonly RoundCounters _counters;
    private readonly int _step;
    private readonly Hash256[] _hashes;
    private readonly Hash256[] _held;

    public RoundWorker(ImageContext image, RoundPlan plan, RoundCounters counters)
    {
        _image = image;
        _plan = plan;
        _counters = counters;
        _step = Math.Max(1, ReadBytes / image.Geometry.Granularity);
        _hashes = new Hash256[_step];
        _held = new Hash256[_step];
    }

    /// <summary>Fills a batch.</summary>
    /// <returns>False where the round has nothing more to claim; the batch may still hold something.</returns>
    /// <exception cref="ImageIOException">The source could not be read; what was claimed for it is dirty again.</exception>
    public bool Fill(SendBatch batch, CancellationToken cancellationToken)
    {
        while (!batch.IsFull)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_plan.TryTake(batch.FreeBlocks, out BlockRun run, out bool isData))
            {
                return false;
            }

            Interlocked.Add(ref _counters.BlocksScanned, run.Count);
            FillFrom(run, isData, batch);
            Interlocked.Add(ref _counters.BytesDone, BytesOf(run));
        }

        return true;
    }

    private void FillFrom(BlockRun run, bool isData, SendBatch batch)
    {
        BlockRun rest = run;
        try
        {
            foreach ((BlockRun part, bool isZero) in BlockClassifier.Classify(_image.Source, _image.Geometry, run, isData, _step))
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
            _plan.GiveBack(rest, isData);
        }
    }

    private long AddZeros(BlockRun run, SendBatch batch)
    {
        long taken = 0;
        foreach ((BlockRun part, Hash256 zero) in _image.Zeros.Runs(run))
        {
            long added = AddEqualZeros(part, zero, batch);
            taken += added;
            if (added < part.Count)
            {
                break;
            }
        }

        return taken;
    }

    private long AddEqualZeros(BlockRun run, Hash256 zero, SendBatch batch)
    {
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
        int count = (int)Math.Min(part.Count, batch.FreeBlocks);
        if (count == 0 || batch.IsFull)
        {
            return 0;
        }

        int slot = batch.Blocks.Count;
        BlockRun run = part with { Count = count };
        int bytes = (int)BytesOf(run);
        Span<byte> content = batch.Slots(slot, bytes);
        _image.Source.Read(_image.Geometry.OffsetOf(run.First), content);
        Interlocked.Add(ref _counters.BytesRead, bytes);

        // Together, which is faster, and with the sub-blocks' values only where one of the blocks may become a patch.
        bool patches = false;
        for (int i = 0; i < count; i++)
        {
            _held[i] = _image.Map.Get(run.First + i);
            patches |= _image.BasisOf(run.First + i, _held[i]) == PatchBasis.Content;
        }

        _image.Zeros.Hash(content, run.First, _hashes.AsSpan(0, count), patches ? batch.PrefixesOf(slot, count) : []);
        for (int i = 0; i < count; i++)
        {
            AddBlock(run.First + i, slot + i, _held[i], _hashes[i], batch);
        }

        return count;
    }

    private void AddBlock(long block, int slot, Hash256 held, Hash256 hash, SendBatch batch)
    {
        if (hash == held)
        {
            _image.Dirty.Release(new BlockRun(block, 1));
            return;
        }

        Interlocked.Increment(ref _counters.BlocksChanged);
        if (hash == _image.Zeros.Of(block))
        {
            batch.ZeroRuns.Add(new BlockRun(block, 1));
            Interlocked.Increment(ref _counters.ZeroBlocks);
            return;
        }

        int length = _image.Geometry.LengthOf(block);
        int target = batch.Blocks.Count;
        batch.Move(slot, target, length);
        batch.Blocks.Add(new SendBlock(block, target, length, hash, _image.BasisOf(block, held)));
        Interlocked.Add(ref _counters.ChangedBytes, length);
    }

    private long BytesOf(BlockRun run) =>
        Math.Min(_image.Geometry.OffsetOf(run.First + run.Count), _image.Geometry.Length) - _image.Geometry.OffsetOf(run.First);
}
