using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats.Delta;

/// <summary>Writes a delta file in one pass (FORMAT.md).</summary>
/// <remarks>
/// Three buffers of one block and nothing that grows. The stream is written forward, flushed at the end, stays open
/// and belongs to the caller, and so do durability and the file's name. Not thread safe. A file that was not finished
/// is refused by the reader.
/// </remarks>
public sealed class DeltaWriter
{
    private readonly BlockGeometry _old;
    private readonly BlockGeometry _new;
    private readonly CheckedOutput _output;
    private readonly byte[] _packed;
    private readonly byte[] _patch;
    private readonly byte[] _scratch;
    private readonly byte[] _bitmap;
    private long _next;
    private long _records;
    private long _blocks;
    private long _payload;
    private long _past;

    /// <summary>Writes the header.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="oldGeometry">The image the delta applies to.</param>
    /// <param name="newGeometry">The image it makes, of the same granularity.</param>
    public DeltaWriter(Stream stream, BlockGeometry oldGeometry, BlockGeometry newGeometry)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNotEqual(newGeometry.Granularity, oldGeometry.Granularity);
        (_old, _new) = (oldGeometry, newGeometry);
        _packed = new byte[newGeometry.Granularity];
        _scratch = new byte[newGeometry.Granularity];
        _patch = new byte[PatchPayload.MaxLength(newGeometry.Granularity)];
        _bitmap = new byte[PatchPayload.BitmapLength(newGeometry.Granularity)];
        _output = new CheckedOutput(stream);
        _output.Write(DeltaFormat.Magic);
        _output.Write(DeltaFormat.Version);
        _output.Write((ushort)0);
        _output.Write((uint)newGeometry.Granularity);
        _output.Write(oldGeometry.Length);
        _output.Write(newGeometry.Length);
    }

    /// <summary>Says that a run of blocks becomes zeros.</summary>
    /// <param name="block">The first block, after all blocks written before.</param>
    /// <param name="count">How many; all of the same length and with the same old hash.</param>
    /// <param name="oldHash">The hash of each before; unknown for blocks past the old image's end.</param>
    public void WriteZeros(long block, uint count, in Hash256 oldHash)
    {
        CheckPlace(block, count, oldHash);
        int length = _new.LengthOf(block);
        ArgumentOutOfRangeException.ThrowIfNotEqual(_new.LengthOf(block + count - 1), length, nameof(count));
        Write(DeltaKind.Zero, block, count, oldHash, ZeroBlock.HashOf(length), []);
    }

    /// <summary>Says what a block becomes, in the shortest of the ways there are.</summary>
    /// <param name="block">The block, after all blocks written before.</param>
    /// <param name="oldHash">Its hash before; unknown where it is past the old image's end.</param>
    /// <param name="newHash">Its hash after.</param>
    /// <param name="content">Its content after, at its new length.</param>
    /// <param name="oldContent">Its content before, at its old length, where it is at hand; empty otherwise.</param>
    public void WriteBlock(
        long block, in Hash256 oldHash, in Hash256 newHash, ReadOnlySpan<byte> content, ReadOnlySpan<byte> oldContent = default)
    {
        CheckPlace(block, 1, oldHash);
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.Length, _new.LengthOf(block));
        if (newHash.IsUnknown || newHash == oldHash)
        {
            throw new ArgumentException($"block {block}: the new hash is unknown or that of before", nameof(newHash));
        }

        if (newHash == ZeroBlock.HashOf(content.Length))
        {
            Write(DeltaKind.Zero, block, 1, oldHash, newHash, []);
            return;
        }

        int patch = oldContent.Length == content.Length ? Patch(content, oldContent) : 0;

        // A patch this short is taken as it is: compressing the whole block would cost a pass and seldom win.
        if (patch > 0 && patch <= content.Length / 2)
        {
            Write(DeltaKind.Patch, block, 1, oldHash, newHash, _patch.AsSpan(0, patch));
            return;
        }

        int packed = Lz4.Compress(content, _packed.AsSpan(0, content.Length - 1));
        bool patchIsShorter = patch > 0 && patch < (packed > 0 ? packed : content.Length);
        if (patchIsShorter)
        {
            Write(DeltaKind.Patch, block, 1, oldHash, newHash, _patch.AsSpan(0, patch));
        }
        else if (packed > 0)
        {
            Write(DeltaKind.Lz4, block, 1, oldHash, newHash, _packed.AsSpan(0, packed));
        }
        else
        {
            Write(DeltaKind.Raw, block, 1, oldHash, newHash, content);
        }
    }

    /// <summary>Writes the end record and the trailer.</summary>
    /// <param name="oldRoot">The old image's root.</param>
    /// <param name="newRoot">The new image's root.</param>
    /// <exception cref="InvalidOperationException">A block past the old image's end has no record, or the roots do not fit what was written.</exception>
    public DeltaSummary Finish(in Hash256 oldRoot, in Hash256 newRoot)
    {
        var summary = new DeltaSummary(_old, _new, oldRoot, newRoot, _records, _blocks, _payload);
        if (_past != Math.Max(0, _new.BlockCount - _old.BlockCount) || !DeltaFormat.FitsRoots(summary))
        {
            throw new InvalidOperationException($"{_past} blocks past the old end were written, or the roots do not fit: {summary}");
        }

        _output.Write((uint)DeltaFormat.End);
        _output.Write(0u);
        _output.Write(_records);
        _output.Write(_blocks);
        _output.Write(_payload);
        _output.Write(oldRoot);
        _output.Write(newRoot);
        _output.WriteTrailer();
        return summary;
    }

    private void CheckPlace(long block, uint count, in Hash256 oldHash)
    {
        ArgumentOutOfRangeException.ThrowIfZero(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(block, _next);
        if (!_new.Contains(block, count)
            || !DeltaFormat.IsOldHash(oldHash, block >= _old.BlockCount)
            || (block < _old.BlockCount && block + count > _old.BlockCount))
        {
            throw new ArgumentException($"blocks {block} + {count} of {_new.BlockCount}, old hash {oldHash}", nameof(block));
        }
    }

    private int Patch(ReadOnlySpan<byte> content, ReadOnlySpan<byte> oldContent)
    {
        Span<byte> bitmap = _bitmap.AsSpan(0, PatchPayload.BitmapLength(content.Length));
        bitmap.Clear();
        int changed = 0;
        for (int i = 0; i < PatchPayload.SubBlocksOf(content.Length); i++)
        {
            int at = i * BlockGeometry.SubBlockSize;
            int length = Math.Min(BlockGeometry.SubBlockSize, content.Length - at);
            if (!content.Slice(at, length).SequenceEqual(oldContent.Slice(at, length)))
            {
                bitmap[i >> 3] |= (byte)(1 << (i & 7));
                changed++;
            }
        }

        // Where all of it changed, a patch is a block with a header.
        return changed == PatchPayload.SubBlocksOf(content.Length) ? 0 : PatchPayload.Build(content, bitmap, compress: true, _scratch, _patch);
    }

    private void Write(
        DeltaKind kind, long block, uint count, in Hash256 oldHash, in Hash256 newHash, ReadOnlySpan<byte> payload)
    {
        _output.Write((uint)kind);
        _output.Write(count);
        _output.Write(block);
        _output.Write(oldHash);
        _output.Write(newHash);
        _output.Write((uint)payload.Length);
        _output.Write(0u);
        _output.Write(payload);
        _past += block >= _old.BlockCount ? count : 0;
        _next = block + count;
        _records++;
        _blocks += count;
        _payload += payload.Length;
    }
}
