using System.Buffers.Binary;
using DiskSync.Formats;
using DiskSync.Formats.Presence;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the count of what was written to an image with an on-demand tail.</summary>
public static class FuzzWritten
{
    /// <summary>Whose count it is.</summary>
    public static Guid Attempt { get; } = new("00112233-4455-6677-8899-aabbccddeeff");

    /// <summary>A file with all three slots.</summary>
    public static byte[] Build()
    {
        byte[] file = new byte[WrittenCodec.MaxSize];
        Put(file, 0, new WrittenCount(0, 64 << 20, 1_764_000_000_000, 1_764_000_000_000));
        Put(file, 1, new WrittenCount(64 << 20, 128 << 20, 1_764_000_000_000, 1_764_000_060_000));
        Put(file, 2, new WrittenCount(70 << 20, 128 << 20, 1_764_000_000_000, 1_764_000_070_000));
        return file;
    }

    /// <summary>One file.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [Build(), Build()[..WrittenCodec.SlotSize]];

    /// <summary>Reads a file; what it says must make sense.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        if (WrittenCodec.Decode(input, Attempt) is { } count && (count.Bytes < 0 || count.Most < count.Bytes || count.LastMs < count.FirstMs))
        {
            throw new InvalidOperationException($"{count} was accepted");
        }
    }

    /// <summary>Makes the checks of all slots right.</summary>
    public static void Repair(byte[] input)
    {
        ArgumentNullException.ThrowIfNull(input);
        for (int at = 0; at + WrittenCodec.SlotSize <= input.Length; at += WrittenCodec.SlotDistance)
        {
            Span<byte> slot = input.AsSpan(at, WrittenCodec.SlotSize);
            BinaryPrimitives.WriteUInt32LittleEndian(slot[^4..], Crc32C.Compute(slot[..^4]));
        }
    }

    private static void Put(byte[] file, int slot, WrittenCount count) =>
        WrittenCodec.Encode(Attempt, count).CopyTo(file, slot * WrittenCodec.SlotDistance);
}
