using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace DiskSync.Formats;

/// <summary>CRC-32C (Castagnoli), the check of frame headers, control messages and journal heads.</summary>
/// <remarks>
/// Reflected polynomial 0x82F63B78, initial value and final exclusive-or 0xFFFFFFFF (RFC 3720, appendix B.4): the
/// CRC of the ASCII text "123456789" is 0xE3069283. Eight bytes a step through <see cref="BitOperations"/>, which is
/// one instruction where the processor has it. It finds accidents, not attacks: block contents are covered by
/// BLAKE3. Thread safe; no allocation.
/// </remarks>
public static class Crc32C
{
    /// <summary>The CRC of some bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> data) => Append(0, data);

    /// <summary>Goes on with a CRC: <c>Append(Compute(a), b)</c> is the CRC of a followed by b.</summary>
    /// <param name="crc">The CRC of what came before, 0 for nothing.</param>
    /// <param name="data">What follows.</param>
    public static uint Append(uint crc, ReadOnlySpan<byte> data)
    {
        uint state = ~crc;
        while (data.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[sizeof(ulong)..];
        }

        foreach (byte value in data)
        {
            state = BitOperations.Crc32C(state, value);
        }

        return ~state;
    }

    /// <summary>Goes on with a CRC over bytes that lie in several segments.</summary>
    /// <param name="crc">The CRC of what came before, 0 for nothing.</param>
    /// <param name="data">What follows.</param>
    public static uint Append(uint crc, in ReadOnlySequence<byte> data)
    {
        foreach (ReadOnlyMemory<byte> segment in data)
        {
            crc = Append(crc, segment.Span);
        }

        return crc;
    }
}
