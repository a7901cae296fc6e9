using System.Buffers.Binary;

namespace DiskSync.Nbd.Wire;

/// <summary>A request as it comes over the wire; nothing in it has been checked but its magic.</summary>
/// <remarks>
/// <code>
///  0       4     6     8       16      24      28
///  | magic | flags | type | cookie | offset | length |
/// </code>
/// Source: the NBD protocol, "Request message".
/// </remarks>
/// <param name="Flags">How.</param>
/// <param name="Command">What.</param>
/// <param name="Cookie">Comes back with the answer.</param>
/// <param name="Offset">Bytes from the start of the export.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct NbdRequest(NbdCommandFlags Flags, NbdCommand Command, ulong Cookie, ulong Offset, uint Length)
{
    /// <summary>Bytes of a request on the wire, without the data that follow a write.</summary>
    public const int Size = 28;

    /// <summary>Reads a request.</summary>
    /// <param name="bytes">At least <see cref="Size"/>.</param>
    /// <param name="request">What was read.</param>
    /// <returns>False where it does not begin as a request: the two sides have lost each other.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NbdRequest request)
    {
        request = new(
            (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]),
            (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[24..]));
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == NbdMagic.Request;
    }

    /// <summary>Writes the request.</summary>
    /// <param name="bytes">At least <see cref="Size"/>.</param>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, NbdMagic.Request);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[6..], (ushort)Command);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], Offset);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[24..], Length);
    }
}
