using DiskSync.Formats;
using DiskSync.Formats.Wire;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the entry table of a batch, plain or packed, against the geometry of <see cref="WireSamples"/>.</summary>
public static class FuzzBlocks
{
    [ThreadStatic]
    private static BlocksUnpacker? _unpacker;

    /// <summary>Bodies of Blocks frames.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [WireSamples.BlocksBody(), WireSamples.BlocksBody(small: true), WireSamples.PackedBody()];

    /// <summary>Reads a batch; all that it hands out must lie inside the image and the body.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            _unpacker ??= new BlocksUnpacker();
            ReadOnlySpan<byte> body = _unpacker.Unpack(input);
            Require(body.Length <= WireLimits.MaxBody, "more unpacked than a frame may have");
            var reader = new BlocksReader(body, WireSamples.Geometry);
            int entries = 0;
            long payload = 0;
            var seen = new HashSet<long>();
            foreach (BlockEntry entry in reader)
            {
                Require(WireSamples.Geometry.Contains(entry.Block, entry.Count) && entry.Count > 0, "a block outside the image");
                for (long block = entry.Block; block < entry.Block + entry.Count; block++)
                {
                    Require(seen.Add(block), "a block twice");
                }

                Require(body.Slice(entry.PayloadOffset, entry.Payload.Length).SequenceEqual(entry.Payload), "a payload elsewhere");
                Apply(entry);
                payload += entry.Payload.Length;
                entries++;
            }

            Require(entries == reader.EntryCount && 24 + (56 * entries) + payload == body.Length, "a gap");
        }
        catch (FormatViolationException)
        {
            // Refused, as it should be.
        }
    }

    private static void Apply(BlockEntry entry)
    {
        int length = WireSamples.Geometry.LengthOf(entry.Block);
        if (entry.Kind == BlockKind.Patch)
        {
            PatchPayload.Read(entry.Payload, length).ApplyTo(new byte[length], new byte[length]);
        }
        else if (entry.Kind == BlockKind.Copy)
        {
            Require(WireSamples.Geometry.Contains(entry.CopySource, 1), "a copy from outside the image");
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
