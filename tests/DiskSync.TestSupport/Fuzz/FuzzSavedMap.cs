using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the record of a saved map.</summary>
public static class FuzzSavedMap
{
    /// <summary>A record of a file with everything in it.</summary>
    public static SavedMapRecord OfFile { get; } = new(
        "/srv/images/\u00fcber.img",
        new BlockGeometry((5L << 30) + 512, 65536),
        WireSamples.HashOf(4),
        1_764_000_000_000,
        new SourceIdentity(
            IsDevice: false,
            new Guid("00112233-4455-6677-8899-aabbccddeeff"),
            Device: (254UL << 32) | 1,
            DiskSequence: 9,
            Inode: 131_073,
            BirthNs: 1_763_000_000_123_456_789,
            ChangedNs: 1_764_000_001_123_456_789,
            FileSystemType: 0xEF53,
            FileSystemId: 0x8877_6655_4433_2211,
            SectorsChanged: 0));

    /// <summary>A record of a device.</summary>
    public static SavedMapRecord OfDevice { get; } = OfFile with
    {
        Source = "/dev/vg/disk",
        Identity = new SourceIdentity(true, OfFile.Identity.Boot, (253UL << 32) | 3, 12, 0, 0, 0, 0, 0, 77_233_690),
    };

    /// <summary>Two records.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [SavedMapCodec.Encode(OfFile), SavedMapCodec.Encode(OfDevice)];

    /// <summary>Reads a record; one that is accepted must be written as it was.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        SavedMapRecord record;
        try
        {
            record = SavedMapCodec.Decode(input);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (!input.SequenceEqual(SavedMapCodec.Encode(record)))
        {
            throw new InvalidOperationException("accepted in a form that is not the encoder's");
        }
    }

    /// <summary>Makes the check right.</summary>
    public static void Repair(byte[] input) => FuzzBlockMap.Repair(input);
}
