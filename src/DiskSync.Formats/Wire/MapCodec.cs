using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Wire;

/// <summary>The layouts of the messages that carry map nodes and sub-block hashes.</summary>
internal static class MapCodec
{
    private const int RunSize = sizeof(uint) + Hash256.Size;
    private const int MinSubHashes = sizeof(ulong) + sizeof(ushort);

    public static FrameType? TryWrite(Message message, FieldWriter writer)
    {
        switch (message)
        {
            case MapRequest request:
                writer.Hash(request.Subject);
                writer.Byte(request.Level);
                writer.UInt64(request.First);
                writer.UInt32(request.Count);
                return FrameType.MapRequest;
            case MapData data:
                writer.Byte(data.Level);
                writer.UInt64(data.First);
                writer.Count("runs", data.Runs.Count, WireLimits.MaxMapNodes);
                foreach (HashRun run in data.Runs)
                {
                    writer.UInt32(run.Count);
                    writer.Hash(run.Hash);
                }

                return FrameType.MapData;
            case SubHashRequest request:
                writer.Count("blocks", request.Blocks.Count, WireLimits.MaxSubHashBlocks);
                foreach (ulong block in request.Blocks)
                {
                    writer.UInt64(block);
                }

                return FrameType.SubHashRequest;
            case SubHashes hashes:
                WriteSubHashes(hashes, writer);
                return FrameType.SubHashes;
            case SeedRequest request:
                writer.Count("hashes", request.Hashes.Count, WireLimits.MaxSeeds);
                foreach (Hash256 hash in request.Hashes)
                {
                    writer.Hash(hash);
                }

                return FrameType.SeedRequest;
            case Seeds seeds:
                writer.UInt64(seeds.Known);
                writer.Count("found", seeds.Found.Count, WireLimits.MaxSeeds);
                foreach (ushort place in seeds.Found)
                {
                    writer.UInt16(place);
                }

                return FrameType.Seeds;
            default:
                return null;
        }
    }

    public static Message? TryRead(FrameType type, ref FieldReader reader) => type switch
    {
        FrameType.MapRequest => new MapRequest(
            reader.Hash("subject"),
            reader.Byte("level", 0, WireLimits.MaxMapLevel),
            reader.UInt64("first node", 0, WireLimits.MaxBlocks),
            reader.UInt32("count", 1, WireLimits.MaxMapNodes)),
        FrameType.MapData => ReadMapData(ref reader),
        FrameType.SubHashRequest => ReadSubHashRequest(ref reader),
        FrameType.SubHashes => ReadSubHashes(ref reader),
        FrameType.SeedRequest => ReadSeedRequest(ref reader),
        FrameType.Seeds => ReadSeeds(ref reader),
        _ => null,
    };

    private static MapData ReadMapData(ref FieldReader reader)
    {
        byte level = reader.Byte("level", 0, WireLimits.MaxMapLevel);
        ulong first = reader.UInt64("first node", 0, WireLimits.MaxBlocks);
        var runs = new HashRun[reader.Count("runs", WireLimits.MaxMapNodes, RunSize)];
        uint nodes = 0;
        for (int i = 0; i < runs.Length; i++)
        {
            uint count = reader.UInt32("run length", 1, WireLimits.MaxMapNodes - nodes);
            nodes += count;
            runs[i] = new HashRun(count, reader.Hash("hash"));
        }

        return new MapData(level, first, runs);
    }

    private static SubHashRequest ReadSubHashRequest(ref FieldReader reader)
    {
        var blocks = new ulong[reader.Count("blocks", WireLimits.MaxSubHashBlocks, sizeof(ulong))];
        ulong least = 0;
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = reader.UInt64("block (ascending)", least, WireLimits.MaxBlocks - 1);
            least = blocks[i] + 1;
        }

        return new SubHashRequest(blocks);
    }

    private static SeedRequest ReadSeedRequest(ref FieldReader reader)
    {
        var hashes = new Hash256[reader.Count("hashes", WireLimits.MaxSeeds, Hash256.Size)];
        for (int i = 0; i < hashes.Length; i++)
        {
            hashes[i] = reader.Hash("hash");
            if (hashes[i].IsUnknown)
            {
                throw reader.Violation("an unknown hash", "hashes of contents", Hash256.Size);
            }
        }

        return new SeedRequest(hashes);
    }

    private static Seeds ReadSeeds(ref FieldReader reader)
    {
        ulong known = reader.UInt64("blocks known");
        var found = new ushort[reader.Count("found", WireLimits.MaxSeeds, sizeof(ushort))];
        int least = 0;
        for (int i = 0; i < found.Length; i++)
        {
            found[i] = reader.UInt16("place");
            if (found[i] < least || found[i] >= WireLimits.MaxSeeds)
            {
                throw reader.Violation($"place {found[i]}", $"ascending places below {WireLimits.MaxSeeds}", sizeof(ushort));
            }

            least = found[i] + 1;
        }

        return new Seeds(known, found);
    }

    private static void WriteSubHashes(SubHashes hashes, FieldWriter writer)
    {
        writer.Count("blocks", hashes.Blocks.Count, WireLimits.MaxSubHashBlocks);
        foreach (BlockSubHashes block in hashes.Blocks)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(block.Prefixes.Length, WireLimits.MaxSubBlocks);
            writer.UInt64(block.Block);
            writer.UInt16((ushort)block.Prefixes.Length);
            if (BitConverter.IsLittleEndian)
            {
                writer.Bytes(MemoryMarshal.AsBytes(block.Prefixes.AsSpan()));
                continue;
            }

            foreach (ulong prefix in block.Prefixes)
            {
                writer.UInt64(prefix);
            }
        }
    }

    private static SubHashes ReadSubHashes(ref FieldReader reader)
    {
        var blocks = new BlockSubHashes[reader.Count("blocks", WireLimits.MaxSubHashBlocks, MinSubHashes)];
        for (int i = 0; i < blocks.Length; i++)
        {
            ulong block = reader.UInt64("block", 0, WireLimits.MaxBlocks - 1);
            int count = reader.UInt16("prefixes");
            if (count > WireLimits.MaxSubBlocks)
            {
                throw reader.Violation($"{count} prefixes", $"at most {WireLimits.MaxSubBlocks}", sizeof(ushort));
            }

            ReadOnlySpan<byte> bytes = reader.Bytes("prefixes", count * sizeof(ulong));
            var prefixes = new ulong[count];
            for (int k = 0; k < count; k++)
            {
                prefixes[k] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(k * sizeof(ulong))..]);
            }

            blocks[i] = new BlockSubHashes(block, prefixes);
        }

        return new SubHashes(blocks);
    }
}
