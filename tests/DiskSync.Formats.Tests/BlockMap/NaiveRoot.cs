using System.Buffers.Binary;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Tests.BlockMap;

/// <summary>The root hash as FORMAT.md spells it, level by level with everything in memory: judges the fast one.</summary>
internal static class NaiveRoot
{
    public static Hash256 Of(BlockGeometry geometry, IReadOnlyList<Hash256> blocks)
    {
        byte[] nodeKey = new byte[32];
        byte[] rootKey = new byte[32];
        Blake3.DeriveKey("DiskSync 2026 block map node v1", [], nodeKey);
        Blake3.DeriveKey("DiskSync 2026 block map root v1", [], rootKey);
        IReadOnlyList<Hash256> level = blocks;
        do
        {
            var next = new List<Hash256>();
            for (int at = 0; at < Math.Max(level.Count, 1); at += 256)
            {
                next.Add(Blake3.KeyedHash(nodeKey, level.Skip(at).Take(256).SelectMany(Bytes).ToArray()));
            }

            level = next;
        }
        while (level.Count > 1);
        byte[] input = new byte[16 + 32];
        BinaryPrimitives.WriteUInt32LittleEndian(input, 1);
        BinaryPrimitives.WriteInt32LittleEndian(input.AsSpan(4), geometry.Granularity);
        BinaryPrimitives.WriteInt64LittleEndian(input.AsSpan(8), geometry.Length);
        level[0].CopyTo(input.AsSpan(16));
        return Blake3.KeyedHash(rootKey, input);
    }

    private static byte[] Bytes(Hash256 hash)
    {
        byte[] bytes = new byte[32];
        hash.CopyTo(bytes);
        return bytes;
    }
}
