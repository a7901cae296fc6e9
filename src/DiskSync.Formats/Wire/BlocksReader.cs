using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Wire;

/// <summary>Reads a batch of blocks: checks the whole entry table once, then hands out the entries.</summary>
/// <remarks>
/// <para>A view over the contiguous body of a Blocks frame, unpacked (<see cref="BlocksUnpacker"/>); allocates nothing where the entries are ascending. After
/// construction every entry lies inside the image, no block appears twice, every payload has a length its kind
/// allows, and together they fill the body exactly. What is not checked: that a payload has the hash its entry
/// names. The receiver does that before it writes.</para>
/// <para>Entries mean what they say in their order, but as no block appears twice only a Copy whose source is
/// written by the same batch depends on it; its hash decides then.</para>
/// </remarks>
public readonly ref struct BlocksReader
{
    private const string Format = "wire Blocks";
    private readonly ReadOnlySpan<byte> _body;

    /// <summary>Checks a body.</summary>
    /// <param name="body">The whole body of the frame.</param>
    /// <param name="geometry">The image that the frame names.</param>
    /// <exception cref="FormatViolationException">Anything is not as PROTOCOL.md says.</exception>
    public BlocksReader(ReadOnlySpan<byte> body, BlockGeometry geometry)
    {
        if (body.Length < BlocksLayout.PrefixSize)
        {
            throw Violation(0, $"{body.Length} bytes", $"at least {BlocksLayout.PrefixSize}");
        }

        uint entries = BinaryPrimitives.ReadUInt16LittleEndian(body[BlocksLayout.CountAt..]);
        if (entries is 0 or > WireLimits.MaxBatchEntries || BlocksLayout.TableEnd(entries) > body.Length)
        {
            throw Violation(
                BlocksLayout.CountAt,
                $"{entries} entries in {body.Length} bytes",
                $"1 to {WireLimits.MaxBatchEntries} entries that fit");
        }

        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(body[BlocksLayout.FlagsAt..]);
        if (flags != 0)
        {
            throw Violation(BlocksLayout.FlagsAt, $"flags 0x{flags:x}", "none in a batch that is not packed");
        }

        _body = body;
        EntryCount = (int)entries;
        CheckTable(geometry);
    }

    /// <summary>The sender's fencing number; a receiver with a newer one writes nothing.</summary>
    public ulong Fence => BinaryPrimitives.ReadUInt64LittleEndian(_body[BlocksLayout.FenceAt..]);

    /// <summary>The batch's number, to be acknowledged.</summary>
    public ulong Batch => BinaryPrimitives.ReadUInt64LittleEndian(_body[BlocksLayout.BatchAt..]);

    /// <summary>The copy round it belongs to.</summary>
    public uint Round => BinaryPrimitives.ReadUInt32LittleEndian(_body[BlocksLayout.RoundAt..]);

    /// <summary>How many entries there are, at least 1.</summary>
    public int EntryCount { get; }

    /// <summary>Enumerates the entries in their order.</summary>
    public Enumerator GetEnumerator() => new(_body, EntryCount);

    private void CheckTable(BlockGeometry geometry)
    {
        long payloadAt = BlocksLayout.TableEnd((uint)EntryCount);
        long next = 0;
        bool ascending = true;
        for (int i = 0; i < EntryCount; i++)
        {
            int at = (int)BlocksLayout.TableEnd((uint)i);
            ReadOnlySpan<byte> entry = _body.Slice(at, BlocksLayout.EntrySize);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(entry[BlocksLayout.EntryPayloadAt..]);
            if (length > _body.Length - payloadAt)
            {
                throw Violation(
                    at + BlocksLayout.EntryPayloadAt, $"a payload of {length} bytes", $"at most the {_body.Length - payloadAt} that follow");
            }

            var checkedEntry = new BlockEntry(entry, _body.Slice((int)payloadAt, (int)length), (int)payloadAt);
            CheckEntry(at, entry, checkedEntry, geometry);
            payloadAt += length;
            ascending &= checkedEntry.Block >= next;
            next = checkedEntry.Block + checkedEntry.Count;
        }

        if (payloadAt != _body.Length)
        {
            throw Violation(payloadAt, $"{_body.Length - payloadAt} more bytes", "the end");
        }

        if (!ascending)
        {
            BatchOverlap.Refuse(_body, EntryCount);
        }
    }

    private static void CheckEntry(int at, ReadOnlySpan<byte> raw, BlockEntry entry, BlockGeometry geometry)
    {
        if ((raw[1] | raw[2] | raw[3]) != 0 || raw[BlocksLayout.EntryReservedAt..].ContainsAnyExcept((byte)0))
        {
            throw Violation(at, "bits that are reserved", "zeros there");
        }

        bool zeros = entry.Kind == BlockKind.ZeroRun;
        if (entry.Count == 0 || (!zeros && entry.Count != 1) || !geometry.Contains(entry.Block, entry.Count))
        {
            throw Violation(
                at, $"{entry.Kind} of {entry.Count} blocks from {(ulong)entry.Block}", $"blocks of an image of {geometry.BlockCount}");
        }

        if (zeros != entry.Hash.IsUnknown)
        {
            throw Violation(at + BlocksLayout.EntryHashAt, $"{entry.Kind} with hash {entry.Hash}", "a hash for every kind but ZeroRun");
        }

        int length = geometry.LengthOf(entry.Block);
        bool valid = entry.Kind switch
        {
            BlockKind.ZeroRun or BlockKind.Seed => entry.Payload.Length == 0,
            BlockKind.Raw => entry.Payload.Length == length,
            BlockKind.Lz4 => entry.Payload.Length > 0 && entry.Payload.Length <= length,
            BlockKind.Patch => true,
            BlockKind.Copy => entry.Payload.Length == BlocksLayout.CopyPayload,
            _ => throw Violation(at, $"kind {(byte)entry.Kind}", "a kind of this version"),
        };
        if (!valid)
        {
            throw Violation(
                at + BlocksLayout.EntryPayloadAt,
                $"{entry.Kind} with a payload of {entry.Payload.Length} bytes",
                $"what a block of {length} bytes allows");
        }

        if (entry.Kind == BlockKind.Patch)
        {
            PatchPayload.Read(entry.Payload, length, Format, entry.PayloadOffset);
        }
        else if (entry.Kind == BlockKind.Copy
            && (!geometry.Contains(entry.CopySource, 1) || entry.CopySource == entry.Block
                || geometry.LengthOf(entry.CopySource) != length))
        {
            throw Violation(
                entry.PayloadOffset, $"a copy of block {(ulong)entry.CopySource} to {entry.Block}", "another block of the same length");
        }
    }

    private static FormatViolationException Violation(long at, string found, string expected) =>
        new(Format, at, found, expected);

    /// <summary>Walks over the entries of a checked batch.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _body;
        private readonly int _count;
        private int _next;
        private int _payloadAt;

        internal Enumerator(ReadOnlySpan<byte> body, int count)
        {
            _body = body;
            _count = count;
            _payloadAt = (int)BlocksLayout.TableEnd((uint)count);
        }

        /// <summary>The entry, after <see cref="MoveNext"/> returned true.</summary>
        public BlockEntry Current { readonly get; private set; }

        /// <summary>Goes to the next entry.</summary>
        public bool MoveNext()
        {
            if (_next == _count)
            {
                return false;
            }

            ReadOnlySpan<byte> entry = _body.Slice((int)BlocksLayout.TableEnd((uint)_next++), BlocksLayout.EntrySize);
            int length = BinaryPrimitives.ReadInt32LittleEndian(entry[BlocksLayout.EntryPayloadAt..]);
            Current = new BlockEntry(entry, _body.Slice(_payloadAt, length), _payloadAt);
            _payloadAt += length;
            return true;
        }
    }
}
