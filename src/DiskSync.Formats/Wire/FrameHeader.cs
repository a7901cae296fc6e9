using System.Buffers.Binary;

namespace DiskSync.Formats.Wire;

/// <summary>The 16 bytes before every frame's body.</summary>
/// <param name="Length">The body's length in bytes.</param>
/// <param name="Type">What the body is.</param>
/// <param name="Image">The image's index in the session, or <see cref="NoImage"/>.</param>
/// <param name="Sequence">How many frames were sent before on this connection in this direction, modulo 2^32.</param>
/// <param name="Crc">CRC-32C over the first 12 bytes and the body (of a Blocks frame: up to the end of its entry table).</param>
/// <remarks>Little-endian, in the order of the parameters: u32, u16, u16, u32, u32.</remarks>
public readonly record struct FrameHeader(uint Length, FrameType Type, ushort Image, uint Sequence, uint Crc)
{
    /// <summary>The header's length in bytes.</summary>
    public const int Size = 16;

    /// <summary>How many of the header's bytes the CRC covers.</summary>
    public const int CheckedSize = 12;

    /// <summary>The image index of frames that concern no single image.</summary>
    public const ushort NoImage = 0xFFFF;

    /// <summary>Reads a header; nothing is checked.</summary>
    /// <param name="bytes">At least <see cref="Size"/> bytes.</param>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        (FrameType)BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));

    /// <summary>Writes the header as it is.</summary>
    /// <param name="bytes">At least <see cref="Size"/> bytes.</param>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Length);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], (ushort)Type);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], Image);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], Crc);
    }
}
