using System.Buffers.Binary;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Runs a decoder of compressed blocks between guards: a u32 with the length of the output, then the block.</summary>
/// <remarks>One for each thread.</remarks>
/// <param name="decode">The decoder.</param>
internal sealed class GuardedDecoder(GuardedDecoder.Decode decode)
{
    private const int MaxOutput = 256 << 10;
    private const int MaxInput = MaxOutput + 4096;
    private const int Canary = 64;
    private const byte Mark = 0xA5;

    private readonly GuardedMemory _source = new(MaxInput);
    private readonly GuardedMemory _destination = new(MaxOutput + Canary);

    /// <summary>Decodes a block into exactly its destination.</summary>
    /// <returns>Whether it could be.</returns>
    public delegate bool Decode(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Compresses into the destination.</summary>
    /// <returns>The length.</returns>
    public delegate int Compress(ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Compressed zeros, text, noise and short runs.</summary>
    /// <param name="compress">The compressor.</param>
    /// <param name="maxLength">The most bytes that a content of some length becomes.</param>
    public static IReadOnlyList<byte[]> Seeds(Compress compress, Func<int, int> maxLength)
    {
        byte[] noise = new byte[3000];
        new Random(1).NextBytes(noise);
        byte[] mixed = WireSamples.Block(16384, 3);
        noise.CopyTo(mixed, 5000);
        return [Seed(new byte[65536]), Seed(mixed), Seed(noise), Seed([1]), Seed(WireSamples.Block(200, 0)), []];

        byte[] Seed(byte[] content)
        {
            byte[] packed = new byte[sizeof(uint) + maxLength(content.Length)];
            BinaryPrimitives.WriteUInt32LittleEndian(packed, (uint)content.Length);
            int length = compress(content, packed.AsSpan(sizeof(uint)));
            return packed[..(sizeof(uint) + length)];
        }
    }

    /// <summary>Decodes; the result must not depend on what the destination held before.</summary>
    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < sizeof(uint))
        {
            return;
        }

        int length = (int)(BinaryPrimitives.ReadUInt32LittleEndian(input) % (MaxOutput + 1));
        ReadOnlySpan<byte> block = input[sizeof(uint)..];
        block = block[..Math.Min(block.Length, MaxInput)];
        Span<byte> source = _source.Last(block.Length);
        block.CopyTo(source);

        Span<byte> room = _destination.Last(length + Canary);
        room.Fill(Mark);
        bool decoded = decode(source, room[Canary..]);
        if (room[..Canary].IndexOfAnyExcept(Mark) >= 0)
        {
            throw new InvalidOperationException("the decoder wrote before its destination");
        }

        if (!block.SequenceEqual(source))
        {
            throw new InvalidOperationException("the decoder changed its source");
        }

        byte[] again = new byte[length];
        if (decoded != decode(source, again) || (decoded && !room[Canary..].SequenceEqual(again)))
        {
            throw new InvalidOperationException("the decoder does not give the same result twice");
        }
    }
}
