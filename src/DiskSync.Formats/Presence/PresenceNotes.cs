using System.Buffers.Binary;

namespace DiskSync.Formats.Presence;

/// <summary>The notes that outlive a killed export, not a power cut (FORMAT.md, "The notes").</summary>
/// <remarks>Thread safe.</remarks>
public static class PresenceNotes
{
    /// <summary>Bytes before the first entry.</summary>
    public const int HeaderSize = 48;

    /// <summary>Bytes of an entry.</summary>
    public const int EntrySize = 16;

    private const int Checked = 44;
    private const ushort Version = 1;

    private static ReadOnlySpan<byte> Magic => "DSyncPrN"u8;

    /// <summary>The header of new notes.</summary>
    /// <param name="boot">The host's boot id.</param>
    /// <param name="attempt">The attempt that handed the image over.</param>
    public static byte[] Header(Guid boot, Guid attempt)
    {
        byte[] header = new byte[HeaderSize];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), Version);
        boot.TryWriteBytes(header.AsSpan(12), bigEndian: true, out _);
        attempt.TryWriteBytes(header.AsSpan(28), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(Checked), Crc32C.Compute(header.AsSpan(0, Checked)));
        return header;
    }

    /// <summary>Writes an entry.</summary>
    /// <param name="header">The notes' header.</param>
    /// <param name="index">The entry's number, from 0.</param>
    /// <param name="range">The parts; at most 2^31 - 1.</param>
    /// <param name="entry">Where to; <see cref="EntrySize"/> bytes.</param>
    public static void WriteEntry(ReadOnlySpan<byte> header, uint index, PresenceRange range, Span<byte> entry)
    {
        BinaryPrimitives.WriteInt64LittleEndian(entry, range.First);
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], checked((int)range.Count));
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], Check(header, index, entry));
    }

    /// <summary>Reads notes; what is not right is not there.</summary>
    /// <param name="stream">Where from: forward to its end; stays open. What the stream throws is passed on.</param>
    /// <param name="header">The header that they must have to say anything.</param>
    /// <param name="partCount">How many parts the image has.</param>
    /// <param name="present">Told the parts.</param>
    /// <returns>How many entries were right.</returns>
    public static uint Read(Stream stream, ReadOnlySpan<byte> header, long partCount, Action<PresenceRange> present)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(present);
        byte[] buffer = new byte[1024 * EntrySize];
        if (stream.ReadAtLeast(buffer.AsSpan(0, HeaderSize), HeaderSize, throwOnEndOfStream: false) < HeaderSize
            || !header.SequenceEqual(buffer.AsSpan(0, HeaderSize)))
        {
            return 0;
        }

        uint index = 0;
        while (true)
        {
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            for (int at = 0; at < buffer.Length; at += EntrySize)
            {
                if (length - at < EntrySize || ReadEntry(header, index, buffer.AsSpan(at, EntrySize), partCount) is not { } range)
                {
                    return index;
                }

                present(range);
                index++;
            }
        }
    }

    private static PresenceRange? ReadEntry(ReadOnlySpan<byte> header, uint index, ReadOnlySpan<byte> entry, long partCount)
    {
        long first = BinaryPrimitives.ReadInt64LittleEndian(entry);
        int count = BinaryPrimitives.ReadInt32LittleEndian(entry[8..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]) == Check(header, index, entry) && count >= 1 && first >= 0 && first <= partCount - count
            ? new PresenceRange(first, count)
            : null;
    }

    private static uint Check(ReadOnlySpan<byte> header, uint index, ReadOnlySpan<byte> entry)
    {
        Span<byte> bytes = stackalloc byte[8];
        header.Slice(Checked, 4).CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], index);
        return Crc32C.Append(Crc32C.Compute(bytes), entry[..12]);
    }
}
