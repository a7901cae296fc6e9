using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DiskSync.Formats.Wire;

/// <summary>The first 16 bytes of each direction: magic and version.</summary>
/// <remarks>
/// "DiskSync" in ASCII, u16 major, u16 minor, u32 zero. Another major version is refused; a higher minor version is
/// accepted, because what it adds is used only where both sides announce the capability. Thread safe.
/// </remarks>
public static class Preamble
{
    /// <summary>The preamble's length in bytes.</summary>
    public const int Size = 16;

    /// <summary>The protocol's major version.</summary>
    public const ushort Major = 1;

    /// <summary>The protocol's minor version.</summary>
    public const ushort Minor = 0;

    private const string Format = "wire preamble";
    private const int Shown = 160;

    private static ReadOnlySpan<byte> Magic => "DiskSync"u8;

    /// <summary>Writes this side's preamble.</summary>
    public static void Write(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Span<byte> raw = output.GetSpan(Size)[..Size];
        Magic.CopyTo(raw);
        BinaryPrimitives.WriteUInt16LittleEndian(raw[8..], Major);
        BinaryPrimitives.WriteUInt16LittleEndian(raw[10..], Minor);
        BinaryPrimitives.WriteUInt32LittleEndian(raw[12..], 0);
        output.Advance(Size);
    }

    /// <summary>Takes the peer's preamble off the front of a buffer.</summary>
    /// <param name="buffer">What has arrived; on success it starts after the preamble.</param>
    /// <param name="minor">The peer's minor version.</param>
    /// <returns>False where it has not arrived whole and nothing is wrong with what has; the buffer is untouched.</returns>
    /// <exception cref="FormatViolationException">
    /// The peer is no DiskSync, or of another major version. The message shows the first bytes as text: the usual
    /// cause is a login shell or an ssh banner that prints to standard output. Thrown at the first wrong byte.
    /// </exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out ushort minor)
    {
        minor = 0;
        Span<byte> raw = stackalloc byte[Size];
        int length = (int)Math.Min(buffer.Length, Size);
        buffer.Slice(0, length).CopyTo(raw);
        int magic = Math.Min(length, Magic.Length);
        if (!raw[..magic].SequenceEqual(Magic[..magic]))
        {
            throw new FormatViolationException(Format, 0, ShowText(buffer), "the preamble \"DiskSync\" of a disksync process");
        }

        if (length < Size)
        {
            return false;
        }

        ushort major = BinaryPrimitives.ReadUInt16LittleEndian(raw[8..]);
        if (major != Major)
        {
            throw new FormatViolationException(Format, 8, $"protocol version {major}", $"version {Major}, which this program speaks");
        }

        if (raw[12..].ContainsAnyExcept((byte)0))
        {
            throw new FormatViolationException(Format, 12, Convert.ToHexStringLower(raw[12..]), "four zero bytes");
        }

        minor = BinaryPrimitives.ReadUInt16LittleEndian(raw[10..]);
        buffer = buffer.Slice(Size);
        return true;
    }

    private static string ShowText(in ReadOnlySequence<byte> buffer)
    {
        byte[] bytes = buffer.Slice(0, Math.Min(buffer.Length, Shown)).ToArray();
        var text = new StringBuilder("\"");
        foreach (byte value in bytes)
        {
            text.Append(value is >= 0x20 and < 0x7F ? (char)value : value == (byte)'\n' ? ' ' : '.');
        }

        return text.Append('"').ToString();
    }
}
