using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats.Delta;

/// <summary>Reads a delta file from its beginning to its end (FORMAT.md).</summary>
/// <remarks>
/// Memory is one record's payload, made as its bytes arrive. The file is proven whole only when <see cref="TryRead"/>
/// has returned false, so whoever applies it calls <see cref="ValidateWhole"/> first and reads it a second time. The
/// stream is read forward from where it stands, stays open and belongs to the caller. Not thread safe.
/// </remarks>
public sealed class DeltaReader
{
    private readonly CheckedInput _input;
    private long _next;
    private long _records;
    private long _blocks;
    private long _payload;
    private long _past;
    private DeltaSummary? _summary;

    /// <summary>Reads the header.</summary>
    /// <param name="stream">Where from.</param>
    /// <exception cref="FormatViolationException">No delta, of another version, or its geometry cannot be.</exception>
    public DeltaReader(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _input = new CheckedInput(stream, DeltaFormat.Name);
        _input.Magic(DeltaFormat.Magic, DeltaFormat.Version);
        ushort reserved = _input.UInt16("reserved");
        uint granularity = _input.UInt32("granularity");
        ulong oldLength = _input.UInt64("old length");
        ulong newLength = _input.UInt64("new length");
        if (reserved != 0
            || !BlockGeometry.TryCreate((long)oldLength, granularity, out BlockGeometry oldGeometry)
            || !BlockGeometry.TryCreate((long)newLength, granularity, out BlockGeometry newGeometry))
        {
            throw _input.Violation(
                $"granularity {granularity}, lengths {oldLength} and {newLength}", "geometries within the limits", 22);
        }

        OldGeometry = oldGeometry;
        NewGeometry = newGeometry;
    }

    /// <summary>The image the delta applies to.</summary>
    public BlockGeometry OldGeometry { get; }

    /// <summary>The image it makes.</summary>
    public BlockGeometry NewGeometry { get; }

    /// <summary>What the whole delta does.</summary>
    /// <exception cref="InvalidOperationException">The file has not been read to its end.</exception>
    public DeltaSummary Summary => _summary ?? throw new InvalidOperationException("read all records first");

    /// <summary>Reads a whole delta, checks everything that can be checked without the old image, and applies nothing.</summary>
    /// <param name="stream">From the file's beginning; stands at its end afterwards.</param>
    /// <returns>What the delta does.</returns>
    /// <exception cref="FormatViolationException">It is cut off, damaged or wrong: nothing of it may be applied.</exception>
    public static DeltaSummary ValidateWhole(Stream stream)
    {
        var reader = new DeltaReader(stream);
        byte[] block = [];
        while (reader.TryRead(out DeltaRecord record))
        {
            if (record.Kind is DeltaKind.Raw or DeltaKind.Lz4)
            {
                // Only now, with a payload in hand, is the file believed to have blocks of this size.
                Array.Resize(ref block, reader.NewGeometry.Granularity);
                DeltaBlock.Build(record, block.AsSpan(0, reader.NewGeometry.LengthOf(record.Block)), []);
            }
        }

        return reader.Summary;
    }

    /// <summary>Reads the next record.</summary>
    /// <param name="record">The record; blocks are ascending.</param>
    /// <returns>False after the last record, when the whole file has been checked.</returns>
    /// <exception cref="FormatViolationException">The file is cut off, damaged or wrong.</exception>
    public bool TryRead(out DeltaRecord record)
    {
        record = default;
        if (_summary is not null)
        {
            return false;
        }

        byte kind = _input.Byte("record kind");
        if ((_input.Byte("reserved") | _input.UInt16("reserved")) != 0)
        {
            throw _input.Violation("bits that are reserved", "zeros there", 3);
        }

        uint count = _input.UInt32("count");
        if (kind == DeltaFormat.End)
        {
            ReadEnd(count);
            return false;
        }

        record = ReadRecord(kind, count);
        _past += record.Block >= OldGeometry.BlockCount ? record.Count : 0;
        _next = record.Block + record.Count;
        _records++;
        _blocks += record.Count;
        _payload += record.Payload.Length;
        return true;
    }

    private DeltaRecord ReadRecord(byte rawKind, uint count)
    {
        var kind = (DeltaKind)rawKind;
        if (kind is < DeltaKind.Zero or > DeltaKind.Patch)
        {
            throw _input.Violation($"record kind {rawKind}", "1 to 4, or 255", DeltaFormat.PrefixSize);
        }

        ulong first = _input.UInt64("block");
        bool zero = kind == DeltaKind.Zero;
        if (count == 0 || (count > 1 && !zero) || first < (ulong)_next || !NewGeometry.Contains((long)first, count))
        {
            throw _input.Violation(
                $"{kind} of {count} blocks from {first}", $"blocks from {_next} of {NewGeometry.BlockCount}", DeltaFormat.PrefixSize + 8);
        }

        long block = (long)first;
        bool past = block >= OldGeometry.BlockCount;
        int length = NewGeometry.LengthOf(block);
        if (count > 1 && (NewGeometry.LengthOf(block + count - 1) != length || (!past && block + count > OldGeometry.BlockCount)))
        {
            throw _input.Violation($"a run of {count} blocks from {block}", "blocks of one length on one side of the old end", 16);
        }

        Hash256 oldHash = _input.Hash("old hash");
        Hash256 newHash = _input.Hash("new hash");
        if (!DeltaFormat.IsOldHash(oldHash, past) || newHash.IsUnknown || newHash == oldHash
            || (zero && newHash != ZeroBlock.HashOf(length)))
        {
            throw _input.Violation($"old hash {oldHash}, new hash {newHash}", $"two hashes that fit {kind} of block {block}", 64);
        }

        return new DeltaRecord(kind, block, count, oldHash, newHash, ReadPayload(kind, block, length));
    }

    private ReadOnlyMemory<byte> ReadPayload(DeltaKind kind, long block, int blockLength)
    {
        uint length = _input.UInt32("payload length");
        bool samePlace = block < OldGeometry.BlockCount && OldGeometry.LengthOf(block) == blockLength;
        bool valid = kind switch
        {
            DeltaKind.Zero => length == 0,
            DeltaKind.Raw => length == (uint)blockLength,
            DeltaKind.Lz4 => length > 0 && length < (uint)blockLength,
            _ => samePlace && length <= (uint)PatchPayload.MaxLength(blockLength),
        };
        if (!valid || _input.UInt32("reserved") != 0)
        {
            throw _input.Violation($"{kind} with a payload of {length} bytes", $"what block {block} of {blockLength} bytes allows", 4);
        }

        long at = _input.Offset;
        ReadOnlyMemory<byte> payload = _input.TakeMemory((int)length, "payload");
        if (kind == DeltaKind.Patch)
        {
            PatchPayload.Read(payload.Span, blockLength, DeltaFormat.Name, at);
        }

        return payload;
    }

    private void ReadEnd(uint reserved)
    {
        ulong records = _input.UInt64("records");
        ulong blocks = _input.UInt64("blocks");
        ulong payload = _input.UInt64("payload bytes");
        long past = Math.Max(0, NewGeometry.BlockCount - OldGeometry.BlockCount);
        if (reserved != 0 || records != (ulong)_records || blocks != (ulong)_blocks || payload != (ulong)_payload || _past != past)
        {
            throw _input.Violation(
                $"the end of {records} records, {blocks} blocks, {payload} bytes",
                $"{_records}, {_blocks} and {_payload}, with all {past} blocks past the old end",
                DeltaFormat.PrefixSize + 24);
        }

        var summary = new DeltaSummary(
            OldGeometry, NewGeometry, _input.Hash("old root"), _input.Hash("new root"), _records, _blocks, _payload);
        if (!DeltaFormat.FitsRoots(summary))
        {
            throw _input.Violation($"roots {summary.OldRoot} and {summary.NewRoot}", $"roots that fit {_blocks} changed blocks", 64);
        }

        _input.Trailer();
        _summary = summary;
    }
}
