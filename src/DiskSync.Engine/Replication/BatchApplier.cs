using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;

namespace DiskSync.Engine.Replication;

/// <summary>Writes batches to one target: validate, decode, verify each block's hash, write, zero or refuse.</summary>
/// <remarks>
/// Neighbouring blocks that travel whole are verified and written together; those that travel as they are go from the
/// frame to the image without a copy, unless the image must be written from aligned memory. Not thread safe; one
/// connection's loop owns it.
/// </remarks>
internal sealed class BatchApplier : IDisposable
{
    // What is decoded, verified and written at once: it stays in the core's second-level cache meanwhile.
    private const int RunBytes = 512 << 10;

    private readonly ITarget _target;
    private readonly ushort _image;
    private readonly BlockGeometry _geometry;
    private readonly AlignedBuffer _run;
    private readonly Hash256[] _hashes;
    private readonly byte[] _scratch;
    private readonly Func<ISeedLibrary?> _seeds;
    private readonly BlocksUnpacker _unpacker = new();
    private byte[] _body = [];

    public BatchApplier(ITarget target, ushort image, Func<ISeedLibrary?> seeds)
    {
        _seeds = seeds;
        _target = target;
        _image = image;
        _geometry = target.Store.Geometry;
        int blocks = Math.Max(1, RunBytes / _geometry.Granularity);
        _run = new AlignedBuffer(blocks * _geometry.Granularity);
        _hashes = new Hash256[blocks];
        _scratch = new byte[_geometry.Granularity];
    }

    private TargetStore Store => _target.Store;

    /// <summary>Applies a Blocks frame.</summary>
    /// <param name="body">The frame's body; not kept.</param>
    /// <exception cref="Formats.FormatViolationException">The batch breaks the format: nothing of it was written, or, where a patch does not decompress, nothing from that block on.</exception>
    /// <exception cref="DiskSyncException">The target failed, or the batch belongs to an older session.</exception>
    public BatchAck Apply(in ReadOnlySequence<byte> body)
    {
        ReadOnlySpan<byte> bytes = _unpacker.Unpack(Contiguous(body));
        BlocksReader batch = new(bytes, _geometry);
        if (batch.Fence != Store.FenceNumber)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {_target.Name}: a batch of session number {batch.Fence} came after session number {Store.FenceNumber} began; nothing of it was written",
                "Another run writes this target now; stop one of them.");
        }

        List<RefusedBlock> refused = [];
        BlocksReader.Enumerator entries = batch.GetEnumerator();
        bool more = entries.MoveNext();
        while (more)
        {
            BlockEntry entry = entries.Current;
            if (IsWhole(entry.Kind))
            {
                more = ApplyRun(bytes, ref entries);
                continue;
            }

            if (ApplyEntry(entry) is { } reason)
            {
                refused.Add(new RefusedBlock((ulong)entry.Block, reason));
            }

            more = entries.MoveNext();
        }

        return new BatchAck(batch.Batch, refused);
    }

    /// <summary>Hashes the sub-blocks of what the target holds now.</summary>
    public SubHashes SubHashes(SubHashRequest request)
    {
        if ((long)request.Blocks.Count * _geometry.SubBlocks > WireLimits.MaxSubHashes)
        {
            throw new TransportLostException(
                $"the source asked for {request.Blocks.Count} times {_geometry.SubBlocks} sub-block hashes; {WireLimits.MaxSubHashes} are the most");
        }

        List<BlockSubHashes> answers = new(request.Blocks.Count);
        foreach (ulong block in request.Blocks)
        {
            if (block >= (ulong)_geometry.BlockCount)
            {
                throw new TransportLostException($"the source asked for block {block} of image {_image}, which has {_geometry.BlockCount}");
            }

            int length = _geometry.LengthOf((long)block);
            Span<byte> content = _run.Span[..length];
            Store.Read((long)block, content);
            ulong[] prefixes = new ulong[PatchPayload.SubBlocksOf(length)];
            Blake3.HashBlock(content, prefixes);
            answers.Add(new BlockSubHashes(block, prefixes));
        }

        return new SubHashes(answers);
    }

    public void Dispose()
    {
        _run.Dispose();
        _unpacker.Dispose();
    }

    private static bool IsWhole(BlockKind kind) => kind is BlockKind.Raw or BlockKind.Lz4;

    /// <summary>Applies neighbouring blocks of one kind that travel whole, from the enumerator's current entry on.</summary>
    /// <returns>False where no entry is left.</returns>
    private bool ApplyRun(ReadOnlySpan<byte> body, ref BlocksReader.Enumerator entries)
    {
        BlockEntry first = entries.Current;
        bool inPlace = first.Kind == BlockKind.Raw && _target.Store.Alignment == 1;
        Span<Hash256> promised = _hashes;
        int count = 0;
        int length = 0;
        bool more = true;
        for (; more && count < promised.Length; more = entries.MoveNext())
        {
            BlockEntry entry = entries.Current;
            if (entry.Kind != first.Kind || entry.Block != first.Block + count)
            {
                break;
            }

            promised[count++] = entry.Hash;
            int blockLength = _geometry.LengthOf(entry.Block);
            if (!inPlace)
            {
                Decode(entry, _run.Span.Slice(length, blockLength));
            }

            length += blockLength;
        }

        // Payloads lie behind one another as their entries do.
        ReadOnlySpan<byte> content = inPlace ? body.Slice(first.PayloadOffset, length) : _run.Span[..length];
        WriteRun(first.Block, content, promised[..count]);
        return more;
    }

    private void Decode(in BlockEntry entry, Span<byte> content)
    {
        if (entry.Kind == BlockKind.Raw)
        {
            entry.Payload.CopyTo(content);
        }
        else if (!Lz4.TryDecompress(entry.Payload, content))
        {
            throw Damaged(entry.Block, "it does not decompress");
        }
    }

    private void WriteRun(long first, ReadOnlySpan<byte> content, ReadOnlySpan<Hash256> promised)
    {
        Span<Hash256> found = stackalloc Hash256[promised.Length];
        Blake3.HashBlocks(content, _geometry.Granularity, found, []);
        for (int i = 0; i < found.Length; i++)
        {
            if (found[i] != promised[i])
            {
                throw Damaged(first + i, "it does not have the hash that it should");
            }
        }

        Store.Write(first, content, promised);
    }

    /// <summary>Applies an entry that leaves the content to this side's own.</summary>
    private RefusalReason? ApplyEntry(in BlockEntry entry)
    {
        if (entry.Kind == BlockKind.ZeroRun)
        {
            Store.ZeroRun(entry.Block, entry.Count);
            return null;
        }

        int length = _geometry.LengthOf(entry.Block);
        Span<byte> content = _run.Span[..length];
        RefusalReason mismatch;
        ReadOnlySpan<byte> changed = [];
        switch (entry.Kind)
        {
            case BlockKind.Patch:
                mismatch = RefusalReason.PatchMismatch;
                PatchPayload patch = PatchPayload.Read(entry.Payload, length);
                Store.Read(entry.Block, content);
                patch.ApplyTo(content, _scratch);
                changed = patch.Bitmap;
                break;
            case BlockKind.Seed:
                mismatch = RefusalReason.SeedMismatch;
                if (_seeds()?.TryRead(entry.Hash, content) != true)
                {
                    return mismatch;
                }

                break;
            default:
                mismatch = RefusalReason.CopyMismatch;
                Store.Read(entry.CopySource, content);
                break;
        }

        if (Blake3.Hash(content) != entry.Hash)
        {
            return mismatch;
        }

        Store.WriteChanged(entry.Block, content, entry.Hash, changed);
        return null;
    }

    private TransportLostException Damaged(long block, string why) =>
        new(
            $"block {block} of {_target.Name} arrived damaged: {why}",
            "Something between the hosts changes data, or memory is bad: check both hosts before trying again.");

    private ReadOnlySpan<byte> Contiguous(in ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment)
        {
            return body.FirstSpan;
        }

        int length = (int)body.Length;
        if (_body.Length < length)
        {
            _body = new byte[length + (length / 4)];
        }

        body.CopyTo(_body);
        return _body.AsSpan(0, length);
    }
}
