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
/// <remarks>Not thread safe; one connection's loop owns it.</remarks>
internal sealed class BatchApplier : IDisposable
{
    private readonly ITarget _target;
    private readonly ushort _image;
    private readonly BlockGeometry _geometry;
    private readonly AlignedBuffer _block;
    private readonly byte[] _scratch;
    private byte[] _body = [];

    public BatchApplier(ITarget target, ushort image)
    {
        _target = target;
        _image = image;
        _geometry = target.Store.Geometry;
        _block = new AlignedBuffer(_geometry.Granularity);
        _scratch = new byte[_geometry.Granularity];
    }

    private TargetStore Store => _target.Store;

    /// <summary>Applies a Blocks frame.</summary>
    /// <param name="body">The frame's body; not kept.</param>
    /// <exception cref="Formats.FormatViolationException">The batch breaks the format: nothing of it was written, or, where a patch does not decompress, nothing from that block on.</exception>
    /// <exception cref="DiskSyncException">The target failed, or the batch belongs to an older session.</exception>
    public BatchAck Apply(in ReadOnlySequence<byte> body)
    {
        BlocksReader batch = new(Contiguous(body), _geometry);
        if (batch.Fence != Store.FenceNumber)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"destination {_target.Name}: a batch of session number {batch.Fence} came after session number {Store.FenceNumber} began; nothing of it was written",
                "Another run writes this target now; stop one of them.");
        }

        List<RefusedBlock> refused = [];
        foreach (BlockEntry entry in batch)
        {
            if (ApplyEntry(entry) is { } reason)
            {
                refused.Add(new RefusedBlock((ulong)entry.Block, reason));
            }
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
            Span<byte> content = _block.Span[..length];
            Store.Read((long)block, content);
            ulong[] prefixes = new ulong[PatchPayload.SubBlocksOf(length)];
            Blake3.HashBlock(content, prefixes);
            answers.Add(new BlockSubHashes(block, prefixes));
        }

        return new SubHashes(answers);
    }

    public void Dispose() => _block.Dispose();

    private RefusalReason? ApplyEntry(in BlockEntry entry)
    {
        if (entry.Kind == BlockKind.ZeroRun)
        {
            Store.ZeroRun(entry.Block, entry.Count);
            return null;
        }

        int length = _geometry.LengthOf(entry.Block);
        Span<byte> content = _block.Span[..length];
        switch (entry.Kind)
        {
            case BlockKind.Raw:
                entry.Payload.CopyTo(content);
                break;
            case BlockKind.Lz4:
                if (!Lz4.TryDecompress(entry.Payload, content))
                {
                    throw Damaged(entry, "it does not decompress");
                }

                break;
            case BlockKind.Patch:
                PatchPayload patch = PatchPayload.Read(entry.Payload, length);
                Store.Read(entry.Block, content);
                patch.ApplyTo(content, _scratch);
                break;
            case BlockKind.Copy:
                Store.Read(entry.CopySource, content);
                break;
        }

        if (Blake3.Hash(content) != entry.Hash)
        {
            return entry.Kind switch
            {
                BlockKind.Patch => RefusalReason.PatchMismatch,
                BlockKind.Copy => RefusalReason.CopyMismatch,
                _ => throw Damaged(entry, "it does not have the hash that it should"),
            };
        }

        Store.Write(entry.Block, content, entry.Hash);
        return null;
    }

    private TransportLostException Damaged(in BlockEntry entry, string why) =>
        new(
            $"block {entry.Block} of {_target.Name} arrived damaged: {why}",
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
