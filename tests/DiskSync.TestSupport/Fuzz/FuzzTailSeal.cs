using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Tail;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the tail seal.</summary>
public static class FuzzTailSeal
{
    /// <summary>A tail seal with everything in it.</summary>
    public static TailSealRecord Record { get; } = new(
        "disk.img",
        8,
        new BlockGeometry((5L << 30) + 512, 65536),
        WireSamples.HashOf(4),
        new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        1_764_000_000_000,
        "quelle.example",
        "/srv/vm/disk.img");

    /// <summary>Two tail seals.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
        [TailSealCodec.Encode(Record), TailSealCodec.Encode(Record with { Image = "", Epoch = 1, Root = default, SourceHost = "", SourceImage = "" })];

    /// <summary>Reads a tail seal; one that is accepted must be written as it was.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        TailSealRecord record;
        try
        {
            record = TailSealCodec.Decode(input);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (!input.SequenceEqual(TailSealCodec.Encode(record)))
        {
            throw new InvalidOperationException("accepted in a form that is not the encoder's");
        }
    }

    /// <summary>Makes the check right.</summary>
    public static void Repair(byte[] input) => FuzzBlockMap.Repair(input);
}
