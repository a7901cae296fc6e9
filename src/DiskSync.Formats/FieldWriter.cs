using System.Buffers;
using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.Wire;

namespace DiskSync.Formats;

/// <summary>Writes the fields of a message or record one after the other: the counterpart of <see cref="FieldReader"/>.</summary>
/// <remarks>A field that the reader would refuse is a caller's bug and throws <see cref="ArgumentException"/>.</remarks>
internal readonly ref struct FieldWriter(IBufferWriter<byte> output)
{
    private readonly IBufferWriter<byte> _output = output;

    public void Bytes(ReadOnlySpan<byte> value) => _output.Write(value);

    public void Byte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    public void Bool(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_output.GetSpan(sizeof(ushort)), value);
        _output.Advance(sizeof(ushort));
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_output.GetSpan(sizeof(uint)), value);
        _output.Advance(sizeof(uint));
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_output.GetSpan(sizeof(ulong)), value);
        _output.Advance(sizeof(ulong));
    }

    public void Int32(int value) => UInt32((uint)value);

    public void Int64(long value) => UInt64((ulong)value);

    public void Guid(Guid value)
    {
        value.TryWriteBytes(_output.GetSpan(16), bigEndian: true, out _);
        _output.Advance(16);
    }

    public void Hash(Hash256 value)
    {
        value.CopyTo(_output.GetSpan(Hash256.Size));
        _output.Advance(Hash256.Size);
    }

    /// <summary>A name or a path, which must not be changed: one that is too long or not Unicode is refused.</summary>
    public void Name(string field, string value)
    {
        if (!WireText.IsValid(value))
        {
            throw new ArgumentException(
                $"{field} is not Unicode text of at most {WireLimits.MaxText} bytes in UTF-8: {WireText.Clip(value)}", field);
        }

        Text(value, fromEnd: false);
    }

    /// <summary>Text for people, shortened where it is too long.</summary>
    /// <param name="value">The text.</param>
    /// <param name="fromEnd">Keep the end rather than the beginning.</param>
    public void Text(string value, bool fromEnd = false)
    {
        byte[] bytes = WireText.Encode(WireText.Clip(value, fromEnd));
        UInt16((ushort)bytes.Length);
        Bytes(bytes);
    }

    /// <summary>The length of a list.</summary>
    public void Count(string field, int count, int cap)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, cap, field);
        UInt32((uint)count);
    }
}
