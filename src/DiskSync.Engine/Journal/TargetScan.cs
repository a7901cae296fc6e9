using System.Buffers;
using System.Runtime.ExceptionServices;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Journal;

/// <summary>Finds out what a target holds by reading it from its medium: to fill its map, and to prove what was written.</summary>
/// <remarks>One scan at a time, by several readers, each with its own part; early reads beside it are the caller's to keep apart.</remarks>
/// <param name="device">The image; stays its opener's.</param>
/// <param name="geometry">How it is cut into blocks.</param>
internal sealed class TargetScan(IBlockDevice device, BlockGeometry geometry)
{
    private const int ChunkBytes = 1 << 20;

    // A reader more has to be worth its start.
    private const long BytesAReader = 16L << 20;

    private readonly ZeroHashes _zeros = new(geometry);

    /// <summary>Reads and hashes the blocks of a bitmap, clearing each bit before its block is read.</summary>
    /// <param name="todo">The blocks; those that a failure leaves unread are marked again.</param>
    /// <param name="maxReaders">The most threads that read at once.</param>
    /// <param name="progress">Called with bytes done and bytes in all.</param>
    /// <param name="found">Called with the first block, the count and the hash of blocks that were read; from several threads, in no order.</param>
    /// <param name="cancellationToken">Stops between chunks; what was read stays read.</param>
    /// <returns>Bytes read from the medium.</returns>
    public long Run(
        DirtyBitmap todo, int maxReaders, Action<long, long> progress, Action<long, long, Hash256> found, CancellationToken cancellationToken)
    {
        long total = todo.Count * geometry.Granularity;
        Tally tally = new(total, progress);
        RoundPlan plan = new(todo, device, geometry);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        int readers = (int)Math.Clamp(total / BytesAReader, 1, maxReaders);
        try
        {
            Parallel.For(0, readers, _ => Read(plan, todo, found, tally, stop));
        }
        catch (AggregateException failures)
        {
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }

        cancellationToken.ThrowIfCancellationRequested();
        return tally.BytesRead;
    }

    /// <summary>Reads and hashes neighbouring blocks past the page cache, whatever is being written beside them.</summary>
    /// <param name="run">The blocks.</param>
    /// <param name="buffer">Aligned room for them.</param>
    /// <param name="found">Room for a hash each.</param>
    /// <returns>Bytes read; 0 where they cannot be read so.</returns>
    public int TryReadPastCache(BlockRun run, Span<byte> buffer, Span<Hash256> found)
    {
        Span<byte> content = buffer[..LengthOf(run)];
        if (!device.TryReadPastCache(geometry.OffsetOf(run.First), content))
        {
            return 0;
        }

        _zeros.Hash(content, run.First, found, []);
        return content.Length;
    }

    private int LengthOf(BlockRun run) =>
        (int)(Math.Min(geometry.OffsetOf(run.End), geometry.Length) - geometry.OffsetOf(run.First));

    private void Read(
        RoundPlan plan, DirtyBitmap todo, Action<long, long, Hash256> found, Tally tally, CancellationTokenSource stop)
    {
        using AlignedBuffer buffer = new(Math.Max(ChunkBytes, geometry.Granularity));
        while (!stop.IsCancellationRequested
            && plan.TryTake(buffer.Length / geometry.Granularity, out BlockRun run, out bool isData))
        {
            try
            {
                long bytes = ScanRun(run, isData, buffer, found);
                todo.Release(run);
                tally.Add(run.Count * geometry.Granularity, bytes);
            }
            catch
            {
                todo.Fail(run);
                stop.Cancel();
                throw;
            }
        }
    }

    private long ScanRun(BlockRun run, bool isData, AlignedBuffer buffer, Action<long, long, Hash256> found)
    {
        long bytes = 0;
        foreach ((BlockRun part, bool isZero) in BlockClassifier.Classify(
            device, geometry, run, isData, buffer.Length / geometry.Granularity))
        {
            if (!isZero)
            {
                bytes += ScanChunk(part, buffer.Span, found);
                continue;
            }

            foreach ((BlockRun zeros, Hash256 hash) in _zeros.Runs(part))
            {
                found(zeros.First, zeros.Count, hash);
            }
        }

        return bytes;
    }

    private int ScanChunk(BlockRun run, Span<byte> buffer, Action<long, long, Hash256> found)
    {
        long offset = geometry.OffsetOf(run.First);
        int length = LengthOf(run);
        device.DropCache(offset, length);
        device.Read(offset, buffer[..length]);
        Hash256[] hashes = ArrayPool<Hash256>.Shared.Rent((int)run.Count);
        _zeros.Hash(buffer[..length], run.First, hashes.AsSpan(0, (int)run.Count), []);
        for (int i = 0; i < run.Count; i++)
        {
            found(run.First + i, 1, hashes[i]);
        }

        ArrayPool<Hash256>.Shared.Return(hashes);
        return length;
    }

    /// <summary>What all readers have done, and the progress of it.</summary>
    private sealed class Tally(long total, Action<long, long> progress)
    {
        private readonly Lock _lock = new();
        private long _done;

        public long BytesRead { get; private set; }

        public void Add(long done, long read)
        {
            lock (_lock)
            {
                _done += done;
                BytesRead += read;
                progress(Math.Min(_done, total), total);
            }
        }
    }
}
