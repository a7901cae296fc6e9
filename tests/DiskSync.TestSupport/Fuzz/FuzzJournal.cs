using DiskSync.Codecs;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the transfer journal.</summary>
public static class FuzzJournal
{
    /// <summary>An image of 1000 regions.</summary>
    public static TransferJournalHeader Header { get; } = new(
        new BlockGeometry(1000L * 256 * 65536, 65536), new Guid("00112233-4455-6677-8899-aabbccddeeff"), 1_764_000_000_000, true);

    /// <summary>Records of all types.</summary>
    public static IReadOnlyList<JournalRecord> Records { get; } =
    [
        new JournalNote("base.img", WireSamples.HashOf(1)),
        new JournalSession(1, new Guid("ffeeddcc-bbaa-9988-7766-554433221100")),
        new JournalWithdraw([new RegionRange(0, 10), new RegionRange(20, 5)]),
        new JournalCheckpoint([new RegionRange(0, 8)], false),
        new JournalSession(7, new Guid("ffeeddcc-bbaa-9988-7766-554433221101")),
        new JournalWithdraw([new RegionRange(999, 1)]),
        new JournalCheckpoint([new RegionRange(21, 2), new RegionRange(999, 1)], true),
        new JournalWithdraw([new RegionRange(22, 1)]),
    ];

    /// <summary>Journals of nothing, of some records, and with an append that was cut short.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [Build([]), Build(Records), [.. Build(Records), 40, 0, 0, 0, 2, 8]];

    /// <summary>The file of a journal.</summary>
    public static byte[] Build(IEnumerable<JournalRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        TransferJournalAppender appender = TransferJournalAppender.Create(Header, out byte[] start);
        var file = new MemoryStream();
        file.Write(start);
        foreach (JournalRecord record in records)
        {
            Put(file, appender.Append(record));
        }

        return file.ToArray();
    }

    /// <summary>Does both writes of an append.</summary>
    public static void Put(MemoryStream file, JournalAppend append)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Position = append.RecordOffset;
        file.Write(append.Record.Span);
        file.Position = append.SlotOffset;
        file.Write(append.Slot.Span);
        file.Position = file.Length;
    }

    /// <summary>Reads a journal; one that is accepted must be one that can be gone on with.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        TransferJournalResult result = TransferJournalReader.Read(input);
        if (!result.IsIntact)
        {
            return;
        }

        long regions = result.State.Header.RegionCount;
        foreach (RegionRange range in result.State.Withdrawn.Ranges.Concat(result.State.ReadBack.Ranges))
        {
            if (range.First < 0 || range.Count < 1 || range.First + range.Count > regions)
            {
                throw new InvalidOperationException($"{range} of {regions} regions");
            }
        }

        var file = new MemoryStream();
        file.Write(input[..(int)result.State.EndOffset]);
        ulong count = result.State.RecordCount;
        Put(file, new TransferJournalAppender(result.State).Append(new JournalNote("", default)));
        if (TransferJournalReader.Read(file.ToArray()).State?.RecordCount != count + 1)
        {
            throw new InvalidOperationException("an accepted journal cannot be gone on with");
        }
    }

    /// <summary>Makes checks, chain and the first head slot right.</summary>
    public static void Repair(byte[] input) => RecordLogRepair.Run(input, 48, "DiskSync 2026 transfer journal chain v1");
}
