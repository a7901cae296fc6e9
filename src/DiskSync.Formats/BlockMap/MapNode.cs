using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>The node and root functions of the block map's tree, and its shape (FORMAT.md, "Root hash").</summary>
/// <remarks>
/// Level 0 is the block hashes, level k the nodes over level k-1, 256 children each. Unknown children count as 32
/// zero bytes, so a tree over blocks that nobody has hashed has a root too: it just never equals that of any content.
/// Thread safe; allocates nothing but what BLAKE3 does.
/// </remarks>
public static class MapNode
{
    /// <summary>How many children a node has; the last one of a level may have fewer.</summary>
    public const int Fanout = 256;

    /// <summary>The version that the root binds.</summary>
    public const uint FormatVersion = 1;

    /// <summary>The highest level: 256^5 blocks of 4 KiB are the longest image.</summary>
    public const int MaxLevel = 5;

    private static readonly byte[] NodeKey = Derive("DiskSync 2026 block map node v1");
    private static readonly byte[] RootKey = Derive("DiskSync 2026 block map root v1");

    /// <summary>The hash of a node.</summary>
    /// <param name="children">The children's hashes one after the other: 0 to 256 of 32 bytes.</param>
    public static Hash256 Hash(ReadOnlySpan<byte> children)
    {
        if (children.Length > Fanout * Hash256.Size || children.Length % Hash256.Size != 0)
        {
            throw new ArgumentException($"{children.Length} bytes are no children of a node", nameof(children));
        }

        return Blake3.KeyedHash(NodeKey, children);
    }

    /// <summary>The hash of a node whose children are all equal.</summary>
    /// <param name="child">The children's hash.</param>
    /// <param name="count">How many there are, 0 to 256.</param>
    public static Hash256 Uniform(in Hash256 child, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Fanout);
        Span<byte> children = stackalloc byte[Fanout * Hash256.Size];
        for (int i = 0; i < count; i++)
        {
            child.CopyTo(children[(i * Hash256.Size)..]);
        }

        return Hash(children[..(count * Hash256.Size)]);
    }

    /// <summary>The root hash: binds the top node to format version, granularity and length.</summary>
    /// <param name="geometry">The image's geometry.</param>
    /// <param name="top">The only node of the highest level.</param>
    public static Hash256 Root(BlockGeometry geometry, in Hash256 top)
    {
        Span<byte> input = stackalloc byte[sizeof(uint) + sizeof(uint) + sizeof(ulong) + Hash256.Size];
        BinaryPrimitives.WriteUInt32LittleEndian(input, FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(input[4..], geometry.Granularity);
        BinaryPrimitives.WriteInt64LittleEndian(input[8..], geometry.Length);
        top.CopyTo(input[16..]);
        return Blake3.KeyedHash(RootKey, input);
    }

    /// <summary>The level of the top node: at least 1, also for an image of no or one block.</summary>
    /// <param name="blockCount">The image's blocks.</param>
    public static int TopLevel(long blockCount)
    {
        int level = 1;
        while (CountAt(blockCount, level) > 1)
        {
            level++;
        }

        return level;
    }

    /// <summary>How many nodes a level has; level 0 has the blocks, every other level at least one node.</summary>
    /// <param name="blockCount">The image's blocks.</param>
    /// <param name="level">0 to <see cref="MaxLevel"/>.</param>
    public static long CountAt(long blockCount, int level)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(blockCount);
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, MaxLevel);
        int shift = 8 * level;
        long nodes = (blockCount + (1L << shift) - 1) >> shift;
        return level == 0 ? nodes : Math.Max(nodes, 1);
    }

    private static byte[] Derive(string context)
    {
        byte[] key = new byte[Hash256.Size];
        Blake3.DeriveKey(context, [], key);
        return key;
    }
}
