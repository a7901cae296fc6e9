using DiskSync.Codecs;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the block map file.</summary>
public static class FuzzBlockMap
{
    /// <summary>Small maps of each kind of record.</summary>
    public static IReadOnlyList<byte[]> Seeds() =>
    [
        Sample(new BlockGeometry(0, 65536)),
        Sample(new BlockGeometry(4097, 4096), new MapRun(1, WireSamples.HashOf(1)), new MapRun(1, WireSamples.HashOf(2))),
        Mixed(),
    ];

    /// <summary>A map with single hashes, runs and unknown blocks.</summary>
    public static byte[] Mixed() => Sample(
        new BlockGeometry((300 * 65536) - 1000, 65536),
        new MapRun(2, WireSamples.HashOf(1)),
        new MapRun(1, WireSamples.HashOf(2)),
        new MapRun(1, WireSamples.HashOf(3)),
        new MapRun(280, Hash256.Unknown),
        new MapRun(15, WireSamples.HashOf(4)),
        new MapRun(1, WireSamples.HashOf(5)));

    /// <summary>The file of a map.</summary>
    public static byte[] Sample(BlockGeometry geometry, params MapRun[] runs)
    {
        var stream = new MemoryStream();
        var writer = new BlockMapWriter(stream, geometry);
        Array.ForEach(runs, run => writer.AppendRun(run.Count, run.Hash));
        writer.Finish();
        return stream.ToArray();
    }

    /// <summary>Reads a map to its end; what is accepted must agree with its claim and be writable again.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        byte[] file = input.ToArray();
        BlockMapReader reader;
        var again = new MemoryStream();
        try
        {
            BlockMapClaim.Read(new MemoryStream(file));
        }
        catch (FormatViolationException)
        {
            // Refused; the reader must refuse it too.
        }

        try
        {
            reader = new BlockMapReader(new MemoryStream(file));
            var writer = new BlockMapWriter(again, reader.Geometry);
            while (reader.TryRead(out MapRun run))
            {
                writer.AppendRun(run.Count, run.Hash);
            }

            if (writer.Finish() != reader.Root)
            {
                throw new InvalidOperationException("another root after writing it again");
            }
        }
        catch (FormatViolationException)
        {
            return;
        }

        BlockMapClaim claim = BlockMapClaim.Read(new MemoryStream(file));
        if (claim.Root != reader.Root || claim.Geometry != reader.Geometry || claim.UnknownBlocks != reader.UnknownBlocks)
        {
            throw new InvalidOperationException("the claim of an accepted file is wrong");
        }
    }

    /// <summary>Makes the trailer right.</summary>
    public static void Repair(byte[] input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Length >= Hash256.Size)
        {
            Blake3.Hash(input.AsSpan(0, input.Length - Hash256.Size)).CopyTo(input.AsSpan(input.Length - Hash256.Size));
        }
    }
}
