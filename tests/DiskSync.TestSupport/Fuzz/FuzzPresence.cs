using DiskSync.Codecs;
using DiskSync.Formats;
using DiskSync.Formats.Presence;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes presence maps and their notes.</summary>
public static class FuzzPresence
{
    /// <summary>What the sample map is about.</summary>
    public static PresenceHeader Header { get; } = new(
        (40L << 20) + 5,
        new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        new Guid("8899aabb-ccdd-eeff-0011-223344556677"),
        3,
        WireSamples.HashOf(8),
        1_764_000_000_000);

    /// <summary>A map with records of both types; its last record is not counted by a slot where asked so.</summary>
    public static byte[] Build(bool countsAll = true)
    {
        PresenceAppender appender = PresenceAppender.Create(Header, out byte[] start);
        MemoryStream file = new();
        file.Write(start);
        Put(file, appender.Append([new(0, 3), new(7, 1), new(10_000, 241)]));
        Put(file, appender.Slot());
        Put(file, appender.AppendBits(64, 13, [0b1010_0101, 0b0001_0000]));
        Put(file, appender.Slot());
        Put(file, appender.Append([new(100, 50)]));
        if (countsAll)
        {
            Put(file, appender.Slot());
        }

        return file.ToArray();
    }

    /// <summary>Notes with two entries.</summary>
    public static byte[] BuildNotes()
    {
        byte[] header = NotesHeader();
        byte[] entries = new byte[2 * PresenceNotes.EntrySize];
        PresenceNotes.WriteEntry(header, 0, new(5, 2), entries);
        PresenceNotes.WriteEntry(header, 1, new(10_000, 1), entries.AsSpan(PresenceNotes.EntrySize));
        return [.. header, .. entries];
    }

    /// <summary>The header of those notes.</summary>
    public static byte[] NotesHeader() => PresenceNotes.Header(Header.Id, Header.Attempt);

    /// <summary>Two maps and notes.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [Build(), Build(countsAll: false), BuildNotes()];

    /// <summary>Reads a map; one that is accepted must be one that can be gone on with, and says nothing of parts that there are not.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        PresenceNotes.Read(new MemoryStream(input.ToArray()), NotesHeader(), Header.PartCount, range => Check(range, Header.PartCount));
        PresenceState state;
        try
        {
            state = PresenceReader.Read(new MemoryStream(input.ToArray()), header => range => Check(range, header.PartCount));
        }
        catch (FormatViolationException)
        {
            return;
        }

        ulong count = state.RecordCount;
        MemoryStream file = new();
        file.Write(input[..(int)state.EndOffset]);
        PresenceAppender appender = new(state);
        Put(file, appender.Append([new(0, 1)]));
        Put(file, appender.Slot());
        if (PresenceReader.Read(new MemoryStream(file.ToArray()), _ => _ => { }).RecordCount != count + 1)
        {
            throw new InvalidOperationException("an accepted map cannot be gone on with");
        }
    }

    /// <summary>Makes checks, chain and the first head slot right.</summary>
    public static void Repair(byte[] input) => RecordLogRepair.Run(input, 104, "DiskSync 2026 presence map chain v1");

    private static void Put(MemoryStream file, PresenceWrite write)
    {
        file.Position = write.Offset;
        file.Write(write.Bytes.Span);
        file.Position = file.Length;
    }

    private static void Check(PresenceRange range, long parts)
    {
        if (range.First < 0 || range.Count < 1 || range.Count > parts - range.First)
        {
            throw new InvalidOperationException($"{range} of {parts} parts");
        }
    }
}
