using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the zstd decoder: a u32 with the length of the output, then the frame.</summary>
public static class FuzzZstd
{
    private const int MaxOutput = 256 << 10;
    private const int Canary = 64;
    private const byte Mark = 0xA5;

    [ThreadStatic]
    private static ZstdDecompressor? _decompressor;

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
        _decompressor ??= new ZstdDecompressor();
        _source ??= new GuardedMemory(MaxOutput + 4096);
        _destination ??= new GuardedMemory(MaxOutput + Canary);
        Span<byte> source = _source.Last(Math.Min(block.Length, MaxOutput));
        block = block[..source.Length];
        block.CopyTo(source);

        Span<byte> room = _destination.Last(length + Canary);
        room.Fill(Mark);
        bool decoded = _decompressor.TryDecompress(source, room[Canary..]);
        if (room[..Canary].IndexOfAnyExcept(Mark) >= 0)
        {
            throw new InvalidOperationException("the decoder wrote before its destination");
        }

        if (!block.SequenceEqual(source))
        {
            throw new InvalidOperationException("the decoder changed its source");
        }

        byte[] again = new byte[length];
        if (decoded != _decompressor.TryDecompress(source, again) || (decoded && !room[Canary..].SequenceEqual(again)))
        {
            throw new InvalidOperationException("the decoder does not give the same result twice");
        }
    }

    private static byte[] Seed(byte[] content)
    {
        using var compressor = new ZstdCompressor();
        byte[] packed = new byte[sizeof(uint) + Zstd.MaxCompressedLength(content.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(packed, (uint)content.Length);
        int length = compressor.Compress(content, packed.AsSpan(sizeof(uint)), 3);
        return packed[..(sizeof(uint) + length)];
    }
}
