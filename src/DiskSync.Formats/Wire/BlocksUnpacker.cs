using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats.Wire;

/// <summary>Turns a batch whose payload is one zstd frame into the same batch with a plain payload.</summary>
/// <remarks>
/// Not thread safe: one for each connection or applier, and it owns what it hands out. What a peer can make it
/// allocate is bounded: the entry table says how long the payload is, no more than
/// <see cref="WireLimits.MaxPayload"/>, and the frame has to agree before it is decoded. The entries are not looked at
/// otherwise: <see cref="BlocksReader"/> does that.
/// </remarks>
public sealed class BlocksUnpacker : IDisposable
{
    private const string Format = "wire Blocks";
    private ZstdDecompressor? _decompressor;
    private byte[] _plain = [];

    /// <summary>Unpacks a body where it is packed.</summary>
    /// <param name="body">The whole body of a Blocks frame.</param>
    /// <returns><paramref name="body"/> itself where it is not packed; else the unpacked one, valid until the next call.</returns>
    /// <exception cref="FormatViolationException">Flags that this version does not know, lengths above the cap, or no frame of exactly that length.</exception>
    public ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> body)
    {
        // A body without room for the prefix is the reader's to refuse.
        ushort flags = body.Length < BlocksLayout.PrefixSize ? (ushort)0
            : BinaryPrimitives.ReadUInt16LittleEndian(body[BlocksLayout.FlagsAt..]);
        if (flags == 0)
        {
            return body;
        }

        if (flags != BlocksLayout.Packed || !Zstd.IsAvailable)
        {
            throw new FormatViolationException(
                Format, BlocksLayout.FlagsAt, $"flags 0x{flags:x}", Zstd.IsAvailable ? "0 or 1" : "0: zstd was not agreed on");
        }

        uint entries = BinaryPrimitives.ReadUInt16LittleEndian(body[BlocksLayout.CountAt..]);
        long table = BlocksLayout.TableEnd(entries);
        if (entries is 0 or > WireLimits.MaxBatchEntries || table > body.Length)
        {
            throw new FormatViolationException(
                Format, BlocksLayout.CountAt, $"{entries} entries in {body.Length} bytes", $"1 to {WireLimits.MaxBatchEntries} entries that fit");
        }

        return Unpack(body[..(int)table], body[(int)table..], PayloadLength(body, entries));
    }

    /// <inheritdoc/>
    public void Dispose() => _decompressor?.Dispose();

    private ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> table, ReadOnlySpan<byte> frame, int payload)
    {
        if (_plain.Length < table.Length + payload)
        {
            // A quarter more, so that batches that differ a little do not each take new memory.
            _plain = new byte[table.Length + payload + (payload / 4)];
        }

        _decompressor ??= new ZstdDecompressor();
        if (!_decompressor.TryDecompress(frame, _plain.AsSpan(table.Length, payload)))
        {
            throw new FormatViolationException(
                Format, table.Length, $"{frame.Length} bytes of bad zstd", $"one frame of {payload} bytes");
        }

        table.CopyTo(_plain);
        BinaryPrimitives.WriteUInt16LittleEndian(_plain.AsSpan(BlocksLayout.FlagsAt), 0);
        return _plain.AsSpan(0, table.Length + payload);
    }

    private static int PayloadLength(ReadOnlySpan<byte> body, uint entries)
    {
        long length = 0;
        for (uint i = 0; i < entries; i++)
        {
            length += BinaryPrimitives.ReadUInt32LittleEndian(
                body[((int)BlocksLayout.TableEnd(i) + BlocksLayout.EntryPayloadAt)..]);
        }

        return length is > 0 and <= WireLimits.MaxPayload
            ? (int)length
            : throw new FormatViolationException(
                Format, BlocksLayout.PrefixSize, $"payloads of {length} bytes in a packed batch", $"1 to {WireLimits.MaxPayload}");
    }
}
