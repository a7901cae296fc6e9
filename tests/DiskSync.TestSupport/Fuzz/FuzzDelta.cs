using DiskSync.Codecs;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the delta file.</summary>
public static class FuzzDelta
{
    private const int Granularity = 16384;

    /// <summary>Deltas that grow, shrink and do nothing.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        byte[] image = Image();
        return
        [
            Build(image, Changed(image)),
            Build(image, image[..(Granularity + 100)]),
            Build(image, image),
            Build([], new byte[5 * Granularity]),
        ];
    }

    /// <summary>An image of five blocks and a bit.</summary>
    public static byte[] Image()
    {
        byte[] image = WireSamples.Block((5 * Granularity) + 700, 3);
        image.AsSpan(2 * Granularity, Granularity).Clear();
        return image;
    }

    /// <summary>The image with a patched, a cleared, a compressible and an incompressible block, and longer.</summary>
    public static byte[] Changed(byte[] image)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] changed = [.. image, .. new byte[(3 * Granularity) + 100]];
        changed.AsSpan(5000, 10).Fill(0x55);
        changed.AsSpan(Granularity, Granularity).Clear();
        changed.AsSpan(2 * Granularity, Granularity).Fill(0x77);
        Blake3.Hash("noise"u8, changed.AsSpan(3 * Granularity, Granularity));
        return changed;
    }

    /// <summary>The delta between two images.</summary>
    public static byte[] Build(byte[] oldImage, byte[] newImage, int granularity = Granularity)
    {
        ArgumentNullException.ThrowIfNull(oldImage);
        ArgumentNullException.ThrowIfNull(newImage);
        var stream = new MemoryStream();
        var oldGeometry = new BlockGeometry(oldImage.Length, granularity);
        var newGeometry = new BlockGeometry(newImage.Length, granularity);
        var writer = new DeltaWriter(stream, oldGeometry, newGeometry);
        for (long block = 0; block < newGeometry.BlockCount; block++)
        {
            ReadOnlySpan<byte> content = Slice(newImage, newGeometry, block);
            bool past = block >= oldGeometry.BlockCount;
            ReadOnlySpan<byte> before = past ? default : Slice(oldImage, oldGeometry, block);
            Hash256 oldHash = past ? Hash256.Unknown : Blake3.Hash(before);
            Hash256 newHash = Blake3.Hash(content);
            if (oldHash == newHash)
            {
                continue;
            }

            uint run = 1;
            while (past && !content.ContainsAnyExcept((byte)0) && block + run < newGeometry.BlockCount
                && newGeometry.LengthOf(block + run) == content.Length && !Slice(newImage, newGeometry, block + run).ContainsAnyExcept((byte)0))
            {
                run++;
            }

            if (run > 1)
            {
                writer.WriteZeros(block, run, oldHash);
                block += run - 1;
                continue;
            }

            writer.WriteBlock(block, oldHash, newHash, content, before);
        }

        writer.Finish(Root(oldImage, granularity), Root(newImage, granularity));
        return stream.ToArray();
    }

    /// <summary>The root of an image.</summary>
    public static Hash256 Root(byte[] image, int granularity)
    {
        ArgumentNullException.ThrowIfNull(image);
        var geometry = new BlockGeometry(image.Length, granularity);
        var hasher = new RootHasher(geometry);
        for (long block = 0; block < geometry.BlockCount; block++)
        {
            hasher.Append(Blake3.Hash(Slice(image, geometry, block)));
        }

        return hasher.Finish();
    }

    /// <summary>Reads a delta; what is accepted must count right.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        byte[] file = input.ToArray();
        long blocks = 0;
        long next = 0;
        try
        {
            var reader = new DeltaReader(new MemoryStream(file));
            while (reader.TryRead(out DeltaRecord record))
            {
                if (record.Block < next || !reader.NewGeometry.Contains(record.Block, record.Count))
                {
                    throw new InvalidOperationException("a block outside the image or out of order");
                }

                next = record.Block + record.Count;
                blocks += record.Count;
            }

            DeltaSummary summary = DeltaReader.ValidateWhole(new MemoryStream(file));
            if (summary != reader.Summary || summary.Blocks != blocks)
            {
                throw new InvalidOperationException("two readings differ");
            }
        }
        catch (FormatViolationException)
        {
            // Refused, as it should be.
        }
    }

    /// <summary>Makes the trailer right.</summary>
    public static void Repair(byte[] input) => FuzzBlockMap.Repair(input);

    private static ReadOnlySpan<byte> Slice(byte[] image, BlockGeometry geometry, long block) =>
        image.AsSpan((int)geometry.OffsetOf(block), geometry.LengthOf(block));
}
