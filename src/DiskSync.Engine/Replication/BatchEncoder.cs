using System.Buffers;
using System.Diagnostics;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>Turns a filled batch into a frame: zero runs, copies, patches and literals, compressed where that pays.</summary>
/// <remarks>Thread safe; each call works on a batch that its caller owns.</remarks>
internal sealed class BatchEncoder : IDisposable
{
    // A patch that carries almost the whole block costs more (its bitmap, a read at the destination) than it saves.
    private const double WorthPatching = 0.75;

    private const int SubBlockSize = BlockGeometry.SubBlockSize;

    // LZ4 must take off at least a sixteenth of a block to be worth decompressing.
    private const int WorthCompressing = 16;

    private readonly SourceSession _session;
    private readonly ushort _index;
    private readonly ImageContext _image;
    private readonly ulong _fence;
    private readonly CompressionPolicy _compression;
    private readonly SeedAsker _seeds;
    private readonly BatchPacker _packer = new();
    private readonly CodecProber _prober;

    public BatchEncoder(
        SourceSession session, ushort index, ImageContext image, ulong fence, CompressionPolicy compression, bool asksForSeeds)
    {
        _session = session;
        _index = index;
        _image = image;
        _fence = fence;
        _compression = compression;
        _seeds = new SeedAsker(session, index, image, asksForSeeds);
        _prober = new CodecProber(_packer);
    }

    /// <summary>Encodes a batch into its writer, asking the destination for sub-block hashes where a patch may do.</summary>
    /// <returns>The bytes of the payload before compression.</returns>
    public async Task<long> EncodeAsync(
        SendBatch batch, uint round, RoundCounters counters, CancellationToken cancellationToken)
    {
        // Both at once: on a long link a question costs its round trip.
        Task<HashSet<long>> seeds = _seeds.AskAsync(batch, cancellationToken);
        Dictionary<ulong, ulong[]> held = await AskForSubBlocksAsync(batch, cancellationToken);
        return Encode(batch, round, held, await seeds, counters);
    }

    /// <inheritdoc/>
    public void Dispose() => _packer.Dispose();

    private async Task<Dictionary<ulong, ulong[]>> AskForSubBlocksAsync(SendBatch batch, CancellationToken cancellationToken)
    {
        ulong[] blocks = [.. batch.Blocks.Where(b => b.Basis == PatchBasis.Content).Select(b => (ulong)b.Block).Order()];
        Dictionary<ulong, ulong[]> held = new(blocks.Length);
        if (blocks.Length == 0)
        {
            return held;
        }

        SubHashes answer = await _session.RequestAsync<SubHashes>(_index, new SubHashRequest(blocks), cancellationToken);
        if (answer.Blocks.Count != blocks.Length)
        {
            throw new TransportLostException(
                $"{_session.Peer} was asked for the sub-blocks of {blocks.Length} blocks and sent {answer.Blocks.Count}");
        }

        foreach (BlockSubHashes block in answer.Blocks)
        {
            held[block.Block] = block.Prefixes;
        }

        return held;
    }

    private long Encode(
        SendBatch batch, uint round, Dictionary<ulong, ulong[]> held, HashSet<long> seeds, RoundCounters counters)
    {
        BlocksWriter writer = batch.Writer;
        // The session numbers it when a connection takes it.
        writer.Begin(_fence, batch: 0, round);
        bool full = false;
        foreach (BlockRun run in batch.ZeroRuns)
        {
            full |= !writer.TryAddZeroRun(run.First, (uint)run.Count);
        }

        BatchCodec codec = batch.Codec = _compression.Choose();
        _prober.Probe(batch, _compression);
        byte[] scratch = ArrayPool<byte>.Shared.Rent(_image.Geometry.Granularity);
        byte[] patch = ArrayPool<byte>.Shared.Rent(PatchPayload.MaxLength(_image.Geometry.Granularity));
        long start = Stopwatch.GetTimestamp();
        long payload = 0;
        foreach (SendBlock block in batch.Blocks)
        {
            if (seeds.Contains(block.Block) && writer.TryAddSeed(block.Block, block.Hash))
            {
                Interlocked.Increment(ref counters.CopiedBlocks);
                continue;
            }

            payload += AddBlock(batch, block, held, codec.Kind == CodecKind.Lz4, scratch, patch, counters, ref full);
        }

        ArrayPool<byte>.Shared.Return(patch);
        ArrayPool<byte>.Shared.Return(scratch);
        if (codec.Kind == CodecKind.Zstd && !_packer.TryPack(writer, codec.Level))
        {
            codec = BatchCodec.Raw;
        }

        int encoded = writer.SentPayloadLength;
        Interlocked.Add(ref counters.PayloadBytes, payload);
        Interlocked.Add(ref counters.EncodedBytes, encoded);
        _compression.Compressed(new EncodedSample(codec, payload, encoded, Stopwatch.GetElapsedTime(start)));
        if (payload > 0)
        {
            counters.Codecs.Add(codec, payload, encoded);
        }

        if (full)
        {
            throw new InvalidOperationException($"a batch of {batch.Blocks.Count} blocks does not fit its writer: its limits do not agree");
        }

        return payload;
    }

    private long AddBlock(
        SendBatch batch,
        SendBlock block,
        Dictionary<ulong, ulong[]> held,
        bool compress,
        byte[] scratch,
        byte[] patch,
        RoundCounters counters,
        ref bool full)
    {
        BlocksWriter writer = batch.Writer;
        ReadOnlySpan<byte> content = batch.BytesOf(block);
        if (!_image.RequiresLiteral(block.Block) && block.Length >= sizeof(long) && _image.Copies.TryFind(block, _image, out long source))
        {
            full |= !writer.TryAddCopy(block.Block, block.Hash, source);
            Interlocked.Increment(ref counters.CopiedBlocks);
            return 0;
        }

        if (block.Basis != PatchBasis.None
            && TryAddPatch(batch, block, held.GetValueOrDefault((ulong)block.Block), compress, scratch, patch, out int changed))
        {
            Interlocked.Increment(ref counters.PatchedBlocks);
            return changed;
        }

        if (compress)
        {
            int most = block.Length - (block.Length / WorthCompressing);
            int packed = Lz4.Compress(content, scratch.AsSpan(0, most));
            if (packed > 0)
            {
                full |= !writer.TryAdd(BlockKind.Lz4, block.Block, block.Hash, scratch.AsSpan(0, packed));
                return block.Length;
            }
        }

        full |= !writer.TryAdd(BlockKind.Raw, block.Block, block.Hash, content);
        return block.Length;
    }

    private static bool TryAddPatch(
        SendBatch batch, SendBlock block, ulong[]? old, bool compress, byte[] scratch, byte[] patch, out int changedBytes)
    {
        Span<byte> bitmap = stackalloc byte[PatchPayload.BitmapLength(block.Length)];
        bitmap.Clear();
        int subBlocks = PatchPayload.SubBlocksOf(block.Length);
        int changed = block.Basis == PatchBasis.Zeros ? MarkData(batch.BytesOf(block), bitmap)
            : old?.Length == subBlocks ? MarkChanges(old, batch.PrefixesOf(block.Slot)[..subBlocks], bitmap)
            : 0;
        changedBytes = changed * SubBlockSize;

        // No difference at all: the destination's map is behind its content; a literal settles it.
        if (changed == 0 || changed > subBlocks * WorthPatching)
        {
            return false;
        }

        // Not straight into the frame: the block itself may lie there. Nor longer than the block, behind which the next lies.
        int length = PatchPayload.Build(batch.BytesOf(block), bitmap, compress, scratch, patch);
        return length <= block.Length && batch.Writer.TryAdd(BlockKind.Patch, block.Block, block.Hash, patch.AsSpan(0, length));
    }

    private static int MarkChanges(ReadOnlySpan<ulong> old, ReadOnlySpan<ulong> current, Span<byte> bitmap)
    {
        int changed = 0;
        for (int i = 0; i < old.Length; i++)
        {
            changed += old[i] == current[i] ? 0 : Mark(bitmap, i);
        }

        return changed;
    }

    private static int MarkData(ReadOnlySpan<byte> content, Span<byte> bitmap)
    {
        int changed = 0;
        for (int i = 0; i * SubBlockSize < content.Length; i++)
        {
            int start = i * SubBlockSize;
            changed += ZeroCheck.IsZero(content[start..Math.Min(start + SubBlockSize, content.Length)]) ? 0 : Mark(bitmap, i);
        }

        return changed;
    }

    private static int Mark(Span<byte> bitmap, int subBlock)
    {
        bitmap[subBlock >> 3] |= (byte)(1 << (subBlock & 7));
        return 1;
    }
}
