using System.Buffers.Binary;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Damages valid inputs in the ways that decoders get wrong.</summary>
public sealed class FuzzMutator(Random random, IReadOnlyList<byte[]> seeds)
{
    private const int MaxLength = 256 << 10;

    private static readonly ulong[] Awkward =
    [
        0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
        0x100000000, 1UL << 40, 1UL << 52, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
    ];

    /// <summary>Makes the next input.</summary>
    public byte[] Next()
    {
        byte[] input = (byte[])Pick().Clone();
        int steps = random.Next(4) == 0 ? random.Next(1, 16) : random.Next(1, 4);
        for (int i = 0; i < steps; i++)
        {
            input = Mutate(input);
        }

        return input.Length <= MaxLength ? input : input[..MaxLength];
    }

    private byte[] Pick() => seeds[random.Next(seeds.Count)];

    private byte[] Mutate(byte[] input)
    {
        if (input.Length == 0)
        {
            return [(byte)random.Next(256)];
        }

        int at = random.Next(input.Length);
        int length = random.Next(Math.Min(input.Length - at, 64)) + 1;
        switch (random.Next(9))
        {
            case 0:
                input[at] ^= (byte)(1 << random.Next(8));
                return input;
            case 1:
                input[at] = (byte)random.Next(256);
                return input;
            case 2:
                return PutNumber(input, at, Awkward[random.Next(Awkward.Length)]);
            case 3:
                return PutNumber(input, at, (ulong)random.Next(-16, 4096));
            case 4:
                return input[..at];
            case 5:
                return [.. input[..at], .. input[(at + length)..]];
            case 6:
                return [.. input[..(at + length)], .. input[at..]];
            case 7:
                byte[] noise = new byte[length];
                random.NextBytes(noise);
                return [.. input[..at], .. noise, .. input[at..]];
            default:
                byte[] other = Pick();
                return [.. input[..at], .. other[random.Next(other.Length + 1)..]];
        }
    }

    private byte[] PutNumber(byte[] input, int at, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        int width = Math.Min(1 << random.Next(4), input.Length - at);
        bytes[..width].CopyTo(input.AsSpan(at));
        return input;
    }
}
