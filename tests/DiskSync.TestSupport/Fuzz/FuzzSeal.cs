using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Seal;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the seal.</summary>
public static class FuzzSeal
{
    /// <summary>A seal with everything in it.</summary>
    public static SealRecord Record { get; } = new(
        "disk.img",
        8,
        new BlockGeometry((5L << 30) + 512, 65536),
        WireSamples.HashOf(4),
        new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        1_764_000_000_000,
        new FileStamp(0x0803, 131_073, (5L << 30) + 512, 1_764_000_000_123_456_789, 1_764_000_001_123_456_789))
    {
        SettledBoot = new Guid("8899aabb-ccdd-eeff-0011-223344556677"),
    };

    /// <summary>Two seals.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
        [SealCodec.Encode(Record), SealCodec.Encode(Record with { Image = "", Epoch = 0, Attempt = Guid.Empty, Stamp = default })];

    /// <summary>Reads a seal; one that is accepted must be written as it was.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        SealRecord record;
        try
        {
            record = SealCodec.Decode(input);
        }
        catch (FormatViolationException)
        {
            return;
        }

        // Version 1 is read and not written any more.
        if (input[8] != 1 && !input.SequenceEqual(SealCodec.Encode(record)))
        {
            throw new InvalidOperationException("accepted in a form that is not the encoder's");
        }
    }

    /// <summary>Makes the check right.</summary>
    public static void Repair(byte[] input) => FuzzBlockMap.Repair(input);
}
