namespace DiskSync.Formats.Journal;

/// <summary>The layout of a record's list of regions.</summary>
internal static class JournalRanges
{
    private const int RangeSize = 16;

    public static void Write(FieldWriter writer, IReadOnlyList<RegionRange> ranges, long regions)
    {
        writer.Count("regions", ranges.Count, JournalRecord.MaxRanges);
        long next = 0;
        foreach (RegionRange range in ranges)
        {
            if (range.First < next || range.Count < 1 || range.Count > regions - range.First)
            {
                throw new ArgumentException($"regions {range.First} + {range.Count} of {regions}, not before {next}", nameof(ranges));
            }

            writer.UInt64((ulong)range.First);
            writer.UInt64((ulong)range.Count);
            next = range.First + range.Count;
        }
    }

    public static RegionRange[] Read(ref FieldReader reader, long regions)
    {
        var ranges = new RegionRange[reader.Count("regions", JournalRecord.MaxRanges, RangeSize)];
        long next = 0;
        for (int i = 0; i < ranges.Length; i++)
        {
            ulong first = reader.UInt64("first region", (ulong)next, (ulong)regions);
            ulong count = reader.UInt64("region count", 1, (ulong)regions - first);
            ranges[i] = new RegionRange((long)first, (long)count);
            next = (long)(first + count);
        }

        return ranges;
    }
}
