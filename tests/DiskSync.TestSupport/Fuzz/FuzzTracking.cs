using DiskSync.Formats;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.Tracking;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the record that an export leaves of what was written.</summary>
public static class FuzzTracking
{
    /// <summary>A record with a chunk of few runs and one of many.</summary>
    public static TrackingRecord Sample { get; } = new(
        "/srv/images/\u00fcber.img", 5L << 30, WireSamples.HashOf(6), 3, FuzzSavedMap.OfFile.Identity, [Chunk(0, 0xF0UL), Chunk(7, 0x5555_5555_5555_5555UL)]);

    /// <summary>Two records.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        TrackingRecordCodec.TryEncode(Sample)!,
        TrackingRecordCodec.TryEncode(Sample with { Identity = FuzzSavedMap.OfDevice.Identity, Chunks = [] })!,
    ];

    /// <summary>Reads a record; one that is accepted must be written as it was.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        TrackingRecord record;
        try
        {
            record = TrackingRecordCodec.Decode(input);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (!input.SequenceEqual(TrackingRecordCodec.TryEncode(record)))
        {
            throw new InvalidOperationException("accepted in a form that is not the encoder's");
        }
    }

    /// <summary>Makes the check right.</summary>
    public static void Repair(byte[] input) => FuzzBlockMap.Repair(input);

    private static DirtyBits Chunk(uint number, ulong word)
    {
        ulong[] words = new ulong[DirtyBits.WordCount];
        Array.Fill(words, word);
        return new DirtyBits(number, words);
    }
}
