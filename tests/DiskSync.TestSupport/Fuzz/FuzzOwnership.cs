using DiskSync.Codecs;
using DiskSync.Formats;
using DiskSync.Formats.Journal;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the ownership record.</summary>
public static class FuzzOwnership
{
    /// <summary>A record with everything in it.</summary>
    public static OwnershipRecord Record { get; } = new(
        "/srv/vm/disk.img",
        new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        8,
        AttemptState.Ceded,
        WireSamples.HashOf(3),
        1_764_000_000_000,
        "ziel.example:/srv/vm",
        "virsh resume vm",
        ["/srv/vm/disk.img", "by-id/scsi-\u00fc"]);

    /// <summary>Two records.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        Encode(Record),
        Encode(new OwnershipRecord("a", Guid.Empty, 0, AttemptState.Paused, default, 0, "", "", [])),
    ];

    /// <summary>The bytes as the first record of a journal.</summary>
    public static byte[] Encode(OwnershipRecord record) =>
        OwnershipRecordCodec.Encode(record, 1, OwnershipRecordCodec.Genesis(false), out _);

    /// <summary>Reads a record; one that is accepted must be written as it was.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        OwnershipRecord record;
        try
        {
            record = OwnershipRecordCodec.Decode(input, 1, OwnershipRecordCodec.Genesis(false), out _);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (!input.SequenceEqual(Encode(record)))
        {
            throw new InvalidOperationException("accepted in a form that is not the encoder's");
        }
    }

    /// <summary>Makes the chain value right.</summary>
    public static void Repair(byte[] input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Length >= Hash256.Size)
        {
            byte[] key = new byte[Hash256.Size];
            Blake3.DeriveKey("DiskSync 2026 ownership record chain v1", [], key);
            Blake3.KeyedHash(key, input.AsSpan(0, input.Length - Hash256.Size)).CopyTo(input.AsSpan(input.Length - Hash256.Size));
        }
    }
}
