using System.Buffers.Binary;

namespace DiskSync.Formats.Presence;

/// <summary>The count of what was written, as the bytes of its file (FORMAT.md, "The count").</summary>
/// <remarks>Thread safe.</remarks>
public static class WrittenCodec
{
    /// <summary>Bytes of a slot.</summary>
    public const int SlotSize = 64;

    /// <summary>From one slot to the next: no torn write reaches two.</summary>
    public const int SlotDistance = 4096;

    /// <summary>Slots: two that take turns and are flushed, and one that never is.</summary>
    public const int Slots = 3;

    /// <summary>The most bytes that the file has.</summary>
    public const int MaxSize = ((Slots - 1) * SlotDistance) + SlotSize;

    private const int Checked = 60;
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "DSyncWrt"u8;

    /// <summary>Writes a slot.</summary>
    /// <param name="attempt">The attempt that handed the image over.</param>
    /// <param name="count">What was written.</param>
    public static byte[] Encode(Guid attempt, WrittenCount count)
    {
        byte[] slot = new byte[SlotSize];
        Magic.CopyTo(slot);
        BinaryPrimitives.WriteUInt16LittleEndian(slot.AsSpan(8), Version);
        attempt.TryWriteBytes(slot.AsSpan(12), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(28), count.Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(36), count.Most);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(44), count.FirstMs);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(52), count.LastMs);
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(Checked), Crc32C.Compute(slot.AsSpan(0, Checked)));
        return slot;
    }

    /// <summary>Reads the file.</summary>
    /// <param name="file">All of it, or its first <see cref="MaxSize"/> bytes.</param>
    /// <param name="attempt">The attempt that it must be of.</param>
    /// <returns>The newest that was noted; null where nothing of it is right, or of another attempt: nobody knows.</returns>
    public static WrittenCount? Decode(ReadOnlySpan<byte> file, Guid attempt)
    {
        WrittenCount? newest = null;
        for (int slot = 0; slot < Slots; slot++)
        {
            int at = slot * SlotDistance;
            if (file.Length < at + SlotSize || ReadSlot(file.Slice(at, SlotSize), attempt) is not { } count)
            {
                continue;
            }

            // None of them ever falls.
            newest = newest is { } other
                ? new WrittenCount(
                    Math.Max(count.Bytes, other.Bytes), Math.Max(count.Most, other.Most), Math.Max(count.FirstMs, other.FirstMs), Math.Max(count.LastMs, other.LastMs))
                : count;
        }

        return newest;
    }

    private static WrittenCount? ReadSlot(ReadOnlySpan<byte> slot, Guid attempt)
    {
        if (!slot.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt16LittleEndian(slot[8..]) != Version
            || BinaryPrimitives.ReadUInt16LittleEndian(slot[10..]) != 0
            || new Guid(slot.Slice(12, 16), bigEndian: true) != attempt
            || BinaryPrimitives.ReadUInt32LittleEndian(slot[Checked..]) != Crc32C.Compute(slot[..Checked]))
        {
            return null;
        }

        WrittenCount count = new(
            BinaryPrimitives.ReadInt64LittleEndian(slot[28..]),
            BinaryPrimitives.ReadInt64LittleEndian(slot[36..]),
            BinaryPrimitives.ReadInt64LittleEndian(slot[44..]),
            BinaryPrimitives.ReadInt64LittleEndian(slot[52..]));
        return count.Bytes >= 0 && count.Most >= count.Bytes && count.FirstMs >= 0 && count.LastMs >= count.FirstMs ? count : null;
    }
}
