using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>The layouts of replies.</summary>
/// <remarks>
/// <code>
/// simple:      0       4       8        16
///              | magic | error | cookie | data...
///
/// structured:  0       4       6      8        16       20
///              | magic | flags | type | cookie | length | payload...
/// </code>
/// Source: the NBD protocol, "Simple reply message", "Structured reply chunk message", "Structured reply types".
/// </remarks>
internal static class NbdReply
{
    /// <summary>Bytes of the head of a simple reply.</summary>
    public const int SimpleHead = 16;

    /// <summary>Bytes of the head of a chunk.</summary>
    public const int ChunkHead = 20;

    /// <summary>Bytes of the head of a chunk with data: its offset comes first.</summary>
    public const int DataHead = ChunkHead + sizeof(ulong);

    private const ushort Done = 1;
    private const int MaxMessage = 4096;

    /// <summary>Bytes before the data of a read.</summary>
    public static int HeadOfData(bool isStructured) => isStructured ? DataHead : SimpleHead;

    /// <summary>Writes what comes before the data of a read.</summary>
    public static void WriteDataHead(Span<byte> reply, in NbdRequest request, bool isStructured)
    {
        if (!isStructured)
        {
            WriteSimple(reply, request.Cookie, NbdError.None);
            return;
        }

        WriteChunk(reply, request.Cookie, NbdChunkType.OffsetData, (int)(sizeof(ulong) + request.Length));
        BinaryPrimitives.WriteUInt64BigEndian(reply[ChunkHead..], request.Offset);
    }

    /// <summary>Makes the answer to a command that returns nothing, or has failed.</summary>
    public static byte[] Outcome(in NbdRequest request, bool isStructured, NbdError error, string why)
    {
        // Simple replies are allowed for all but reads and block status once chunks are agreed on; errors say more in a chunk.
        if (!isStructured || (error == NbdError.None && request.Command != NbdCommand.Read))
        {
            byte[] simple = new byte[SimpleHead];
            WriteSimple(simple, request.Cookie, error);
            return simple;
        }

        if (error == NbdError.None)
        {
            byte[] nothing = new byte[ChunkHead];
            WriteChunk(nothing, request.Cookie, NbdChunkType.None, 0);
            return nothing;
        }

        byte[] text = Encoding.UTF8.GetBytes(why);
        int length = Math.Min(text.Length, MaxMessage);
        byte[] chunk = new byte[ChunkHead + 6 + length];
        WriteChunk(chunk, request.Cookie, NbdChunkType.Error, 6 + length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(ChunkHead), (uint)error);
        BinaryPrimitives.WriteUInt16BigEndian(chunk.AsSpan(ChunkHead + 4), (ushort)length);
        text.AsSpan(0, length).CopyTo(chunk.AsSpan(ChunkHead + 6));
        return chunk;
    }

    /// <summary>Makes a chunk with the block status of one kind.</summary>
    /// <param name="request">The request.</param>
    /// <param name="kind">The kind's number on the wire.</param>
    /// <param name="extents">The extents.</param>
    /// <param name="isLast">Whether no other chunk follows.</param>
    public static byte[] Status(in NbdRequest request, int kind, List<NbdExtent> extents, bool isLast)
    {
        const int ExtentBytes = 8;
        byte[] chunk = new byte[ChunkHead + sizeof(uint) + (extents.Count * ExtentBytes)];
        WriteChunk(chunk, request.Cookie, NbdChunkType.BlockStatus, chunk.Length - ChunkHead, isLast);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(ChunkHead), (uint)kind);
        Span<byte> at = chunk.AsSpan(ChunkHead + sizeof(uint));
        foreach (NbdExtent extent in extents)
        {
            BinaryPrimitives.WriteUInt32BigEndian(at, (uint)extent.Length);
            BinaryPrimitives.WriteUInt32BigEndian(at[sizeof(uint)..], extent.Flags);
            at = at[ExtentBytes..];
        }

        return chunk;
    }

    /// <summary>Writes a simple reply.</summary>
    public static void WriteSimple(Span<byte> reply, ulong cookie, NbdError error)
    {
        BinaryPrimitives.WriteUInt32BigEndian(reply, NbdMagic.SimpleReply);
        BinaryPrimitives.WriteUInt32BigEndian(reply[4..], (uint)error);
        BinaryPrimitives.WriteUInt64BigEndian(reply[8..], cookie);
    }

    private static void WriteChunk(Span<byte> reply, ulong cookie, NbdChunkType type, int length, bool isLast = true)
    {
        BinaryPrimitives.WriteUInt32BigEndian(reply, NbdMagic.StructuredReply);
        BinaryPrimitives.WriteUInt16BigEndian(reply[4..], isLast ? Done : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(reply[6..], (ushort)type);
        BinaryPrimitives.WriteUInt64BigEndian(reply[8..], cookie);
        BinaryPrimitives.WriteUInt32BigEndian(reply[16..], (uint)length);
    }
}
