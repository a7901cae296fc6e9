using System.Runtime.InteropServices;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Replication;

/// <summary>One batch on its way: changed blocks in a buffer, runs of zeros, and the claims on all of them.</summary>
/// <remarks>
/// Owned by one worker while it is filled, then by one encoding task, until its ack has been applied; never shared.
/// Reused: <see cref="Reset"/> prepares it for the next batch.
/// </remarks>
internal sealed class SendBatch
{
    private readonly Memory<byte> _buffer;
    private readonly ulong[] _prefixes;
    private readonly int _granularity;
    private readonly int _subBlocks;
    private int _limit;

    public SendBatch(BlockGeometry geometry, int batchBytes)
    {
        _granularity = geometry.Granularity;
        _subBlocks = geometry.SubBlocks;
        Capacity = Math.Max(1, batchBytes / _granularity);
        _limit = Capacity;
        _prefixes = new ulong[Capacity * _subBlocks];

        // Blocks are read where their payloads belong in the frame: what travels as it is is never copied.
        int payload = (Capacity * (_granularity + 64)) + 4096;
        Writer = new BlocksWriter(
            WireLimits.MaxBatchEntries, payload, AlignedMemory(BlocksWriter.StorageFor(WireLimits.MaxBatchEntries, payload)));
        _buffer = Writer.PayloadSpace;
    }

    /// <summary>How many blocks there is room for.</summary>
    public int Capacity { get; }

    public int FreeBlocks => _limit - Blocks.Count;

    public List<SendBlock> Blocks { get; } = [];

    public List<BlockRun> ZeroRuns { get; } = [];

    public BlocksWriter Writer { get; }

    /// <summary>The codec that was chosen for it.</summary>
    public BatchCodec Codec { get; set; }

    public bool IsEmpty => Blocks.Count == 0 && ZeroRuns.Count == 0;

    public bool IsFull => FreeBlocks == 0 || ZeroRuns.Count + Blocks.Count >= WireLimits.MaxBatchEntries - Capacity;

    /// <summary>Has the batch be full sooner than it must.</summary>
    /// <param name="bytes">The most image bytes; one block fits in any case.</param>
    public void Limit(int bytes) => _limit = Math.Clamp(bytes / _granularity, 1, Capacity);

    /// <summary>The bytes of a number of neighbouring slots.</summary>
    public Span<byte> Slots(int first, int bytes) => _buffer.Span.Slice(first * _granularity, bytes);

    public Span<byte> BytesOf(SendBlock block) => Slots(block.Slot, block.Length);

    /// <summary>The sub-block prefixes of neighbouring slots.</summary>
    public Span<ulong> PrefixesOf(int first, int count) => _prefixes.AsSpan(first * _subBlocks, count * _subBlocks);

    /// <summary>The sub-block prefixes of a slot.</summary>
    public Span<ulong> PrefixesOf(int slot) => PrefixesOf(slot, 1);

    /// <summary>Moves a block's bytes and prefixes down to where the next changed block belongs.</summary>
    public void Move(int from, int to, int bytes)
    {
        if (from != to)
        {
            Slots(from, bytes).CopyTo(Slots(to, bytes));
            PrefixesOf(from).CopyTo(PrefixesOf(to));
        }
    }

    public void Reset()
    {
        Blocks.Clear();
        ZeroRuns.Clear();
    }

    // The collector's, not ours to free: where a connection is given up, a write may still be reading a batch that nobody
    // else refers to any more.
    private static Memory<byte> AlignedMemory(int length)
    {
        byte[] array = GC.AllocateUninitializedArray<byte>(length + AlignedBuffer.Alignment, pinned: true);
        long address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        return array.AsMemory((int)(-address & (AlignedBuffer.Alignment - 1)), length);
    }
}
