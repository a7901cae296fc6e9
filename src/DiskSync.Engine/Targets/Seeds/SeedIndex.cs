using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Engine.Targets.Seeds;

/// <summary>Where contents may be found, by a part of their hash: eight bytes a block, in a table of bounded size.</summary>
/// <remarks>
/// <para>Open addressing with linear probing. An entry is 24 bits of the hash that do not choose its slot, the image's
/// number and the block's. Entries only point: whoever follows one compares the whole hash with the image's map.</para>
/// <para>Of more blocks than fit, every second, fourth and so on is taken, chosen by its hash: copies of images come in
/// long runs, and whoever has found one block of a run finds its neighbours without the index. Filled by one thread,
/// then read by any number.</para>
/// </remarks>
public sealed class SeedIndex
{
    /// <summary>The most images.</summary>
    public const int MaxImages = 255;

    /// <summary>The most slots; 32 MiB.</summary>
    public const int MaxSlots = 1 << 22;

    private const int TagBits = 24;
    private const int BlockBits = 32;
    private readonly ulong[] _slots;
    private readonly uint _skip;

    /// <summary>Makes a table.</summary>
    /// <param name="blocks">How many will be offered, at most.</param>
    /// <param name="maxSlots">The most slots, a power of two.</param>
    public SeedIndex(long blocks, int maxSlots = MaxSlots)
    {
        int slots = 1024;
        while (slots < maxSlots && slots < blocks + (blocks / 2))
        {
            slots *= 2;
        }

        _slots = new ulong[slots];
        uint every = 1;
        while (blocks / every > slots / 3L * 2)
        {
            every *= 2;
        }

        _skip = every - 1;
    }

    /// <summary>How many blocks are in it.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a block.</summary>
    public void Add(Hash256 hash, SeedPlace place)
    {
        (uint slot, uint tag) = Split(hash);
        if ((tag & _skip) != 0 || place.Block >> BlockBits != 0 || Count > _slots.Length / 4L * 3)
        {
            return;
        }

        while (_slots[slot] != 0)
        {
            slot = (slot + 1) & (uint)(_slots.Length - 1);
        }

        _slots[slot] = ((ulong)tag << (64 - TagBits)) | ((ulong)(place.Image + 1) << BlockBits) | (ulong)place.Block;
        Count++;
    }

    /// <summary>The places that may hold a content.</summary>
    public IEnumerable<SeedPlace> Candidates(Hash256 hash)
    {
        (uint slot, uint tag) = Split(hash);
        for (; _slots[slot] is var entry and not 0; slot = (slot + 1) & (uint)(_slots.Length - 1))
        {
            if (entry >> (64 - TagBits) == tag)
            {
                yield return new SeedPlace((int)((entry >> BlockBits) & MaxImages) - 1, (long)(entry & uint.MaxValue));
            }
        }
    }

    private (uint Slot, uint Tag) Split(Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        hash.CopyTo(bytes);
        uint slot = BinaryPrimitives.ReadUInt32LittleEndian(bytes) & (uint)(_slots.Length - 1);
        return (slot, BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) >> (32 - TagBits));
    }
}
