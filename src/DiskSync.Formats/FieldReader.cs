using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats;

/// <summary>Reads the fields of a message or record one after the other, and refuses what does not fit.</summary>
/// <remarks>Every method takes the field's name for the message of the exception; none allocates by a length it has not checked.</remarks>
internal ref struct FieldReader
{
    private readonly ReadOnlySpan<byte> _data;
    private readonly string _format;
    private readonly long _origin;
    private int _position;

    /// <summary>Starts at the first byte.</summary>
    /// <param name="data">The whole message or record.</param>
    /// <param name="format">Its name, for messages.</param>
    /// <param name="origin">The offset of the first byte, for messages.</param>
    public FieldReader(ReadOnlySpan<byte> data, string format, long origin = 0)
    {
        _data = data;
        _format = format;
        _origin = origin;
    }

    /// <summary>How many bytes have not been read.</summary>
    public readonly int Remaining => _data.Length - _position;

    /// <summary>How many bytes have been read.</summary>
    public readonly int Position => _position;

    /// <summary>Takes bytes as they are.</summary>
    public ReadOnlySpan<byte> Bytes(string field, int count)
    {
        if (count > Remaining)
        {
            throw Violation($"{Remaining} bytes", $"{field} ({count} bytes)");
        }

        ReadOnlySpan<byte> taken = _data.Slice(_position, count);
        _position += count;
        return taken;
    }

    /// <summary>What a record's file begins with: its magic, then its version.</summary>
    /// <param name="magic">The magic.</param>
    /// <param name="oldest">The oldest version that this program reads.</param>
    /// <param name="newest">The newest.</param>
    /// <returns>The version.</returns>
    public ushort Start(ReadOnlySpan<byte> magic, ushort oldest, ushort newest)
    {
        ReadOnlySpan<byte> found = Bytes("magic", magic.Length);
        if (!found.SequenceEqual(magic))
        {
            throw Violation(Convert.ToHexStringLower(found), $"the magic of a {_format}", magic.Length);
        }

        ushort version = UInt16("version");
        return version >= oldest && version <= newest
            ? version
            : throw Violation($"version {version}", $"version {newest}, which this program reads", sizeof(ushort));
    }

    /// <summary>Makes sure that a record's file ends with the BLAKE3 of what stands before it.</summary>
    /// <param name="least">The fewest bytes that such a file has.</param>
    public readonly void CheckEnd(int least)
    {
        if (_data.Length < least || Blake3.Hash(_data[..^Hash256.Size]) != new Hash256(_data[^Hash256.Size..]))
        {
            throw Violation($"{_data.Length} bytes that are not what was written", $"the BLAKE3 of the {_format} at its end");
        }
    }

    public byte Byte(string field) => Bytes(field, 1)[0];

    public ushort UInt16(string field) => BinaryPrimitives.ReadUInt16LittleEndian(Bytes(field, sizeof(ushort)));

    public uint UInt32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(field, sizeof(uint)));

    public ulong UInt64(string field) => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(field, sizeof(ulong)));

    public int Int32(string field) => (int)UInt32(field);

    public long Int64(string field) => (long)UInt64(field);

    public Guid Guid(string field) => new(Bytes(field, 16), bigEndian: true);

    public Hash256 Hash(string field) => new(Bytes(field, Hash256.Size));

    /// <summary>A hash that names content, so that the value for "unknown" is refused.</summary>
    public Hash256 KnownHash(string field)
    {
        Hash256 hash = Hash(field);
        return hash.IsUnknown ? throw Violation("32 zero bytes", $"{field}, which cannot be unknown", Hash256.Size) : hash;
    }

    public bool Bool(string field)
    {
        byte value = Byte(field);
        return value <= 1 ? value == 1 : throw Violation($"{value}", $"{field}: 0 or 1", 1);
    }

    /// <summary>A number that has a lower and an upper limit.</summary>
    public ulong UInt64(string field, ulong min, ulong max)
    {
        ulong value = UInt64(field);
        return value >= min && value <= max
            ? value
            : throw Violation($"{value}", $"{field} from {min} to {max}", sizeof(ulong));
    }

    /// <summary>A number that has a lower and an upper limit.</summary>
    public uint UInt32(string field, uint min, uint max)
    {
        uint value = UInt32(field);
        return value >= min && value <= max
            ? value
            : throw Violation($"{value}", $"{field} from {min} to {max}", sizeof(uint));
    }

    /// <summary>A number that has a lower and an upper limit.</summary>
    public byte Byte(string field, byte min, byte max)
    {
        byte value = Byte(field);
        return value >= min && value <= max ? value : throw Violation($"{value}", $"{field} from {min} to {max}", 1);
    }

    /// <summary>Text: u16 length and strict UTF-8.</summary>
    public string Text(string field)
    {
        int length = UInt16(field);
        if (length > WireLimits.MaxText)
        {
            throw Violation($"{length} bytes of text", $"{field} of at most {WireLimits.MaxText}", sizeof(ushort));
        }

        ReadOnlySpan<byte> bytes = Bytes(field, length);
        return WireText.TryDecode(bytes, out string text)
            ? text
            : throw Violation("bytes that are not UTF-8", field, length);
    }

    /// <summary>The length of a list, checked against its cap and against the bytes that really follow.</summary>
    /// <param name="field">The list's name.</param>
    /// <param name="cap">The most items.</param>
    /// <param name="itemSize">The least bytes that one item takes.</param>
    public int Count(string field, int cap, int itemSize)
    {
        uint count = UInt32(field);
        if (count > (uint)cap)
        {
            throw Violation($"{count} items", $"at most {cap} in {field}", sizeof(uint));
        }

        return (long)count * itemSize <= Remaining
            ? (int)count
            : throw Violation($"{count} items and {Remaining} bytes", $"{itemSize} bytes for each of {field}", sizeof(uint));
    }

    /// <summary>Refuses bytes after the last field.</summary>
    public readonly void End()
    {
        if (Remaining != 0)
        {
            throw Violation($"{Remaining} more bytes", "the end");
        }
    }

    /// <summary>Makes the exception for what was just read.</summary>
    /// <param name="found">What is there.</param>
    /// <param name="expected">What should be.</param>
    /// <param name="back">How many bytes before the current position it starts.</param>
    public readonly FormatViolationException Violation(string found, string expected, int back = 0) =>
        new(_format, _origin + _position - back, found, expected);
}
