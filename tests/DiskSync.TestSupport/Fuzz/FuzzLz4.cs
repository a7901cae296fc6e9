using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the LZ4 decoder: a u32 with the length of the output, then the compressed block.</summary>
public static class FuzzLz4
{
    private const int MaxOutput = 256 << 10;
    private const int Canary = 64;
    private const byte Mark = 0xA5;

    [ThreadStatic]
    private static GuardedMemory? _source;

    [ThreadStatic]
    private static GuardedMemory? _destination;

    /// <summary>Compressed zeros, text, noise and short runs.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        byte[] noise = new byte[3000];
        new Random(1).NextBytes(noise);
        byte[] mixed = WireSamples.Block(16384, 3);
        noise.CopyTo(mixed, 5000);
        return [Seed(new byte[65536]), Seed(mixed), Seed(noise), Seed([1]), Seed(WireSamples.Block(200, 0)), []];
    }

    /// <summary>Decodes between guards; the result must not depend on what the destination held before.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < sizeof(uint))
        {
            return;
        }

        int length = (int)(BinaryPrimitives.ReadUInt32LittleEndian(input) % (MaxOutput + 1));
        ReadOnlySpan<byte> block = input[sizeof(uint)..];
        _source ??= new GuardedMemory(MaxOutput + 4096);
        _destination ??= new GuardedMemory(MaxOutput + Canary);
        Span<byte> source = _source.Last(block.Length);
        block.CopyTo(source);

        Span<byte> room = _destination.Last(length + Canary);
        room.Fill(Mark);
        bool decoded = Lz4.TryDecompress(source, room[Canary..]);
        if (room[..Canary].IndexOfAnyExcept(Mark) >= 0)
        {
            throw new InvalidOperationException("the decoder wrote before its destination");
        }

        if (!block.SequenceEqual(source))
        {
            throw new InvalidOperationException("the decoder changed its source");
        }

        byte[] again = new byte[length];
        if (decoded != Lz4.TryDecompress(source, again) || (decoded && !room[Canary..].SequenceEqual(again)))
        {
            throw new InvalidOperationException("the decoder does not give the same result twice");
        }
    }

    private static byte[] Seed(byte[] content)
    {
        byte[] packed = new byte[sizeof(uint) + Lz4.MaxCompressedLength(content.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(packed, (uint)content.Length);
        int length = Lz4.Compress(content, packed.AsSpan(sizeof(uint)));
        return packed[..(sizeof(uint) + length)];
    }
}
