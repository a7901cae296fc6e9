using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DiskSync.Codecs;

namespace DiskSync.Formats.Wire;

/// <summary>Builds one batch of blocks after the other in one buffer of its own.</summary>
/// <remarks>
/// <para>Begin, then any number of Add calls or ReservePayload/Commit pairs, then
/// <see cref="FrameWriter.FinishBlocks"/> (or WriteBlocks), which frames the batch. A worker owns one writer for its
/// life; not thread safe; nothing is allocated after construction.</para>
/// <para>The buffer holds room for the frame header and a full entry table, then the payload, which is read,
/// compressed or copied straight into its place. At the end only the table (56 bytes an entry) is moved up against
/// the payload, so that the frame is contiguous. Two buffers and a gathering write were the alternative: no
/// PipeWriter or Stream takes them.</para>
/// </remarks>
public sealed class BlocksWriter : IDisposable
{
    private const int TableAt = FrameHeader.Size + BlocksLayout.PrefixSize;
    private const int Page = 4096;
    private readonly int _maxEntries;
    private readonly int _payloadAt;
    private readonly int _maxPayload;
    private readonly byte[]? _rented;
    private Memory<byte> _buffer;
    private int _entries;
    private int _payload;
    private int _packed;
    private int _reserved = -1;
    private bool _open;
    private int _frameAt = -1;
    private ulong _fence;
    private ulong _batch;
    private uint _round;

    /// <summary>Rents the buffer.</summary>
    /// <param name="maxEntries">The most entries of a batch.</param>
    /// <param name="maxPayload">The most payload bytes of a batch; at least the largest single payload, <see cref="PatchPayload.MaxLength"/> of the granularity where patches are sent.</param>
    public BlocksWriter(int maxEntries = WireLimits.MaxBatchEntries, int maxPayload = WireLimits.MaxPayload)
        : this(maxEntries, maxPayload, default)
    {
        _rented = ArrayPool<byte>.Shared.Rent(StorageFor(maxEntries, maxPayload));
        _buffer = _rented;
    }

    /// <summary>Works in storage of its caller.</summary>
    /// <param name="maxEntries">The most entries of a batch.</param>
    /// <param name="maxPayload">The most payload bytes of a batch.</param>
    /// <param name="storage">At least <see cref="StorageFor"/> bytes; stays the caller's, who keeps it until this writer is disposed.</param>
    public BlocksWriter(int maxEntries, int maxPayload, Memory<byte> storage)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEntries, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxEntries, WireLimits.MaxBatchEntries);
        ArgumentOutOfRangeException.ThrowIfNegative(maxPayload);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPayload, WireLimits.MaxPayload);
        _maxEntries = maxEntries;
        _maxPayload = maxPayload;
        _payloadAt = PayloadAt(maxEntries);
        _buffer = storage;
    }

    /// <summary>The room for payloads: page-aligned where the storage is, so that O_DIRECT can read into it.</summary>
    public Memory<byte> PayloadSpace => _buffer.Slice(_payloadAt, _maxPayload);

    /// <summary>How many entries the batch has.</summary>
    public int EntryCount => _entries;

    /// <summary>How many payload bytes the batch has, before it is packed.</summary>
    public int PayloadLength => _payload;

    /// <summary>How many payload bytes are sent.</summary>
    public int SentPayloadLength => _packed > 0 ? _packed : _payload;

    /// <summary>The payload as it stands, before it is packed; valid until the next call of any method.</summary>
    public ReadOnlySpan<byte> Payload => _packed > 0
        ? throw new InvalidOperationException("the batch is packed")
        : _buffer.Span.Slice(_payloadAt, _payload);

    /// <summary>The length of the frame body as it stands.</summary>
    public int BodyLength => (int)BlocksLayout.TableEnd((uint)_entries) + SentPayloadLength;

    /// <summary>The storage that a writer needs, in bytes.</summary>
    public static int StorageFor(int maxEntries, int maxPayload) => PayloadAt(maxEntries) + maxPayload;

    /// <summary>Starts a batch; what was built and not sent is dropped, and frames finished before are no longer valid.</summary>
    /// <param name="fence">The session's fencing number on the target.</param>
    /// <param name="batch">The batch's number, never used before in the session.</param>
    /// <param name="round">The copy round, for the destination's statistics.</param>
    public void Begin(ulong fence, ulong batch, uint round)
    {
        ObjectDisposedException.ThrowIf(_buffer.IsEmpty, this);
        (_fence, _batch, _round) = (fence, batch, round);
        (_entries, _payload, _packed, _reserved, _open, _frameAt) = (0, 0, 0, -1, true, -1);
    }

    /// <summary>Gives the batch, open or finished, another number: it is sent again because the connection that had it has failed.</summary>
    /// <param name="batch">The number, never used before in the session.</param>
    public void Renumber(ulong batch) => _batch = batch;

    /// <summary>Whether one more entry with a payload of this length fits.</summary>
    public bool HasRoomFor(int payloadLength) => _entries < _maxEntries && payloadLength <= _maxPayload - _payload;

    /// <summary>Adds blocks that read as zeros; a run that goes on where the last entry ended is joined to it.</summary>
    /// <param name="block">The first block.</param>
    /// <param name="count">How many, at least 1.</param>
    /// <returns>False where the batch is full; nothing was added.</returns>
    public bool TryAddZeroRun(long block, uint count)
    {
        ArgumentOutOfRangeException.ThrowIfZero(count);
        if (TryJoin(block, count))
        {
            return true;
        }

        if (!HasRoomFor(0))
        {
            return false;
        }

        AddEntry(BlockKind.ZeroRun, block, count, Hash256.Unknown, 0);
        return true;
    }

    /// <summary>Adds a block with a ready payload.</summary>
    /// <param name="kind">Raw, Lz4 or Patch.</param>
    /// <param name="block">The block.</param>
    /// <param name="hash">The hash of the block's new content.</param>
    /// <param name="payload">The payload; copied unless it lies where it belongs already.</param>
    /// <returns>False where the batch is full; nothing was added.</returns>
    public bool TryAdd(BlockKind kind, long block, in Hash256 hash, ReadOnlySpan<byte> payload)
    {
        if (!HasRoomFor(payload.Length))
        {
            return false;
        }

        Span<byte> place = ReservePayload(payload.Length);
        if (!Unsafe.AreSame(ref MemoryMarshal.GetReference(payload), ref MemoryMarshal.GetReference(place)))
        {
            payload.CopyTo(place);
        }

        CommitPayload(kind, block, hash, payload.Length);
        return true;
    }

    /// <summary>Adds a block whose content the destination has in another block of the same image.</summary>
    /// <param name="block">The block.</param>
    /// <param name="hash">The hash of its new content.</param>
    /// <param name="source">The block that has it now; it must have the same length.</param>
    /// <returns>False where the batch is full; nothing was added.</returns>
    public bool TryAddCopy(long block, in Hash256 hash, long source)
    {
        Span<byte> payload = stackalloc byte[BlocksLayout.CopyPayload];
        BinaryPrimitives.WriteInt64LittleEndian(payload, source);
        return TryAdd(BlockKind.Copy, block, hash, payload);
    }

    /// <summary>Adds a block whose content the destination has in another of its images.</summary>
    /// <param name="block">The block.</param>
    /// <param name="hash">The hash of its new content.</param>
    /// <returns>False where the batch is full; nothing was added.</returns>
    public bool TryAddSeed(long block, in Hash256 hash)
    {
        if (hash.IsUnknown || !HasRoomFor(0))
        {
            return false;
        }

        AddEntry(BlockKind.Seed, block, 1, hash, 0);
        return true;
    }

    /// <summary>Lends the place where the next payload belongs, to read or compress into.</summary>
    /// <param name="max">The most bytes wanted; ask <see cref="HasRoomFor"/> first.</param>
    /// <returns>Exactly <paramref name="max"/> bytes, not cleared; valid until the next call of any method but <see cref="CommitPayload"/>. A reservation that is not committed costs nothing.</returns>
    public Span<byte> ReservePayload(int max) => ReservePayloadMemory(max).Span;

    /// <inheritdoc cref="ReservePayload"/>
    public Memory<byte> ReservePayloadMemory(int max)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(max);
        if (!_open || !HasRoomFor(max))
        {
            throw new InvalidOperationException($"no batch, or no room for a payload of {max} bytes in it");
        }

        _reserved = max;
        return _buffer.Slice(_payloadAt + _payload, max);
    }

    /// <summary>Adds the entry whose payload was put where <see cref="ReservePayload"/> said.</summary>
    /// <param name="kind">Any kind with a payload.</param>
    /// <param name="block">The block.</param>
    /// <param name="hash">The hash of the block's new content, never unknown.</param>
    /// <param name="length">How many of the reserved bytes are the payload, at least 1.</param>
    public void CommitPayload(BlockKind kind, long block, in Hash256 hash, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _reserved);
        if (hash.IsUnknown || kind is < BlockKind.Raw or > BlockKind.Copy)
        {
            throw new ArgumentException($"block {block}: kind {kind} with hash {hash}");
        }

        AddEntry(kind, block, 1, hash, length);
        _payload += length;
    }

    /// <summary>Makes the whole payload one zstd frame, where that takes off enough; nothing can be added after it.</summary>
    /// <param name="compressor">Used for this call only.</param>
    /// <param name="level">The level, as <see cref="ZstdCompressor.Compress"/> takes it.</param>
    /// <param name="most">The most bytes that the frame may have to be used.</param>
    /// <returns>False where the frame would be longer: the batch is as it was.</returns>
    public bool TryPack(ZstdCompressor compressor, int level, int most)
    {
        ArgumentNullException.ThrowIfNull(compressor);
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        if (!_open || _packed > 0)
        {
            throw new InvalidOperationException("no batch, or it is packed already");
        }

        byte[] frame = ArrayPool<byte>.Shared.Rent(Math.Min(most, _payload));
        _packed = compressor.Compress(Payload, frame.AsSpan(0, Math.Min(most, _payload)), level);
        frame.AsSpan(0, _packed).CopyTo(_buffer.Span[_payloadAt..]);
        ArrayPool<byte>.Shared.Return(frame);
        return _packed > 0;
    }

    /// <summary>Gives the buffer back; finished frames are no longer valid.</summary>
    public void Dispose()
    {
        if (!_buffer.IsEmpty)
        {
            _buffer = default;
            _open = false;
            if (_rented is not null)
            {
                ArrayPool<byte>.Shared.Return(_rented);
            }
        }
    }

    /// <summary>Puts header, table and payload together; for <see cref="FrameWriter"/>, which knows the sequence number.</summary>
    internal ReadOnlyMemory<byte> FinishFrame(ushort image, uint sequence)
    {
        if (_entries == 0 || (!_open && _frameAt < 0))
        {
            throw new InvalidOperationException("a batch needs at least one entry");
        }

        int table = _entries * BlocksLayout.EntrySize;
        int start = _payloadAt - table - TableAt;
        Span<byte> buffer = _buffer.Span;
        if (_frameAt < 0)
        {
            // Only once: what is sent again lies where it was put for the first time.
            buffer.Slice(TableAt, table).CopyTo(buffer[(start + TableAt)..]);
            (_open, _frameAt) = (false, start);
        }

        Span<byte> body = buffer.Slice(start + FrameHeader.Size, BodyLength);
        BinaryPrimitives.WriteUInt64LittleEndian(body[BlocksLayout.FenceAt..], _fence);
        BinaryPrimitives.WriteUInt64LittleEndian(body[BlocksLayout.BatchAt..], _batch);
        BinaryPrimitives.WriteUInt32LittleEndian(body[BlocksLayout.RoundAt..], _round);
        BinaryPrimitives.WriteUInt16LittleEndian(body[BlocksLayout.CountAt..], (ushort)_entries);
        BinaryPrimitives.WriteUInt16LittleEndian(body[BlocksLayout.FlagsAt..], _packed > 0 ? BlocksLayout.Packed : (ushort)0);
        ReadOnlySpan<byte> covered = body[..(BlocksLayout.PrefixSize + table)];
        FrameWriter.WriteHeader(buffer[start..], FrameType.Blocks, image, sequence, body.Length, covered);
        return _buffer.Slice(start, FrameHeader.Size + body.Length);
    }

    private bool TryJoin(long block, uint count)
    {
        if (!_open || _entries == 0 || _packed > 0)
        {
            return false;
        }

        Span<byte> last = Entry(_entries - 1);
        long first = BinaryPrimitives.ReadInt64LittleEndian(last[BlocksLayout.EntryBlockAt..]);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(last[BlocksLayout.EntryCountAt..]);
        if (last[0] != (byte)BlockKind.ZeroRun || first + length != block || count > uint.MaxValue - length)
        {
            return false;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(last[BlocksLayout.EntryCountAt..], length + count);
        return true;
    }

    private void AddEntry(BlockKind kind, long block, uint count, in Hash256 hash, int payload)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        if (!_open || _entries == _maxEntries || _packed > 0)
        {
            throw new InvalidOperationException("no batch was begun, or it is full or packed");
        }

        _reserved = -1;
        Span<byte> entry = Entry(_entries++);
        BinaryPrimitives.WriteUInt32LittleEndian(entry, (byte)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[BlocksLayout.EntryCountAt..], count);
        BinaryPrimitives.WriteInt64LittleEndian(entry[BlocksLayout.EntryBlockAt..], block);
        hash.CopyTo(entry[BlocksLayout.EntryHashAt..]);
        BinaryPrimitives.WriteInt32LittleEndian(entry[BlocksLayout.EntryPayloadAt..], payload);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[BlocksLayout.EntryReservedAt..], 0);
    }

    // A page's boundary, because that is what O_DIRECT asks of whoever reads into the payload's place.
    private static int PayloadAt(int maxEntries) =>
        (TableAt + (maxEntries * BlocksLayout.EntrySize) + Page - 1) / Page * Page;

    private Span<byte> Entry(int index) =>
        _buffer.Span.Slice(TableAt + (index * BlocksLayout.EntrySize), BlocksLayout.EntrySize);
}
