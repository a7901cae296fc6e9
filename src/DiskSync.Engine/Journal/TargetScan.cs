using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Journal;

/// <summary>Finds out what a target holds by reading it from its medium: to fill its map, and to prove what was written.</summary>
/// <remarks>One scan at a time.</remarks>
/// <param name="device">The image; stays its opener's.</param>
/// <param name="geometry">How it is cut into blocks.</param>
internal sealed class TargetScan(IBlockDevice device, BlockGeometry geometry)
{
    private const int ChunkBytes = 1 << 20;

    private readonly ZeroHashes _zeros = new(geometry);

    /// <summary>Reads and hashes the blocks of a bitmap, clearing each bit before its block is read.</summary>
    /// <param name="todo">The blocks; those that a failure leaves unread are marked again.</param>
    /// <param name="progress">Called with bytes done and bytes in all.</param>
    /// <param name="found">Called with the first block, the count and the hash of blocks that were read.</param>
    /// <param name="cancellationToken">Stops between chunks; what was read stays read.</param>
    /// <returns>Bytes read from the medium.</returns>
    public long Run(
        DirtyBitmap todo, Action<long, long> progress, Action<long, long, Hash256> found, CancellationToken cancellationToken)
    {
        long total = todo.Count * geometry.Granularity;
        long done = 0;
        long bytes = 0;
        using AlignedBuffer buffer = new(Math.Max(ChunkBytes, geometry.Granularity));
        RoundPlan plan = new(todo, device, geometry);
        while (plan.TryTake(buffer.Length / geometry.Granularity, out BlockRun run))
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                bytes += ScanRun(run, buffer, found);
            }
            catch
            {
                todo.Fail(run);
                throw;
            }

            todo.Release(run);
            done += run.Count * geometry.Granularity;
            progress(Math.Min(done, total), total);
        }

        return bytes;
    }

    private long ScanRun(BlockRun run, AlignedBuffer buffer, Action<long, long, Hash256> found)
    {
        long bytes = 0;
        foreach ((BlockRun part, bool isZero) in BlockClassifier.Classify(
            device, geometry, run, buffer.Length / geometry.Granularity))
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
        int length = (int)(Math.Min(geometry.OffsetOf(run.End), geometry.Length) - offset);
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
}
