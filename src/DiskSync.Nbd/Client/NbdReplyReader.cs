using System.Buffers.Binary;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>Takes replies apart: the one place where what a server answers is validated.</summary>
/// <remarks>
/// Source: the NBD protocol, "Simple reply message", "Structured reply chunk message", "Structured reply types". No
/// length of the server makes us take memory: data go to where the read wants them, all else has a cap. Used by one thread.
/// </remarks>
/// <param name="stream">From the server.</param>
/// <param name="isStructured">Whether chunks were agreed on.</param>
/// <param name="kinds">Numbers of the kinds of block status that were agreed on.</param>
/// <param name="find">Finds the request under way with a cookie.</param>
/// <param name="remove">Told when a request's answer is whole, before its caller is.</param>
internal sealed class NbdReplyReader(
    Stream stream, bool isStructured, IReadOnlyCollection<uint> kinds, Func<ulong, NbdPending?> find, Action<NbdPending> remove)
{
    private const int SimpleHead = 16;
    private const int ChunkHead = 20;
    private const int DataHead = sizeof(ulong);
    private const int HoleBytes = 12;
    private const int ErrorHead = 6;
    private const int ExtentBytes = 8;
    private const ushort DoneFlag = 1;

    // What the specification asks servers not to exceed: 2^20 extents in a chunk.
    private const uint MostStatusBytes = sizeof(uint) + (ExtentBytes << 20);

    // A message of 4 KiB, and room for fields that came later.
    private const uint MostErrorBytes = 8 << 10;

    private readonly byte[] _head = new byte[ChunkHead];
    private readonly byte[] _fields = new byte[HoleBytes];

    /// <summary>Takes one simple reply or one chunk.</summary>
    /// <exception cref="NbdConnectionException">It breaks the protocol.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public void ReadOne()
    {
        stream.ReadExactly(_head, 0, SimpleHead);
        switch (BinaryPrimitives.ReadUInt32BigEndian(_head))
        {
            case NbdMagic.SimpleReply:
                Simple(Find(BinaryPrimitives.ReadUInt64BigEndian(_head.AsSpan(8))), (NbdError)BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(4)));
                break;
            case NbdMagic.StructuredReply when isStructured:
                stream.ReadExactly(_head, SimpleHead, ChunkHead - SimpleHead);
                Chunk();
                break;
            default:
                throw Violation("what it sent is no reply");
        }
    }

    /// <summary>The failure of a connection whose server breaks the protocol.</summary>
    internal static NbdConnectionException Violation(string how) =>
        new(NbdConnectionFailure.Violation, $"the server does not keep to the NBD protocol: {how}");

    private NbdPending Find(ulong cookie) => find(cookie) ?? throw Violation("it answers what was not asked, or twice");

    private void Simple(NbdPending pending, NbdError error)
    {
        NbdCommand command = pending.Request.Command;
        if (error != NbdError.None)
        {
            pending.Error ??= (error, string.Empty);
        }
        else if (command == NbdCommand.BlockStatus || (command == NbdCommand.Read && isStructured))
        {
            throw Violation($"it answers {command} with a simple reply");
        }
        else if (command == NbdCommand.Read)
        {
            stream.ReadExactly(pending.Part(pending.Request.Offset, pending.Request.Length).Span);
        }

        End(pending);
    }

    private void Chunk()
    {
        ushort flags = BinaryPrimitives.ReadUInt16BigEndian(_head.AsSpan(4));
        NbdChunkType type = (NbdChunkType)BinaryPrimitives.ReadUInt16BigEndian(_head.AsSpan(6));
        NbdPending pending = Find(BinaryPrimitives.ReadUInt64BigEndian(_head.AsSpan(8)));
        uint length = BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(16));
        bool isDone = (flags & DoneFlag) != 0;
        switch (type)
        {
            case NbdChunkType.None when length == 0 && isDone:
                break;
            case NbdChunkType.OffsetData when length > DataHead:
                stream.ReadExactly(_fields, 0, DataHead);
                stream.ReadExactly(pending.Part(BinaryPrimitives.ReadUInt64BigEndian(_fields), length - DataHead).Span);
                break;
            case NbdChunkType.OffsetHole when length == HoleBytes:
                Hole(pending);
                break;
            case NbdChunkType.BlockStatus when length is > sizeof(uint) and <= MostStatusBytes && length % ExtentBytes == sizeof(uint):
                Status(pending, (int)length);
                break;
            case >= (NbdChunkType)(1 << 15) when length is >= ErrorHead and <= MostErrorBytes:
                Error(pending, type, (int)length);
                break;
            default:
                throw Violation($"it sends a chunk of type {(ushort)type} with {length} bytes");
        }

        if (isDone)
        {
            End(pending);
        }
    }

    private void Hole(NbdPending pending)
    {
        stream.ReadExactly(_fields, 0, HoleBytes);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(_fields.AsSpan(DataHead));
        if (length == 0)
        {
            throw Violation("it sends a hole of no bytes");
        }

        pending.Part(BinaryPrimitives.ReadUInt64BigEndian(_fields), length).Span.Clear();
    }

    private void Status(NbdPending pending, int length)
    {
        byte[] payload = Take(length);
        uint kind = BinaryPrimitives.ReadUInt32BigEndian(payload);
        if (pending.Request.Command != NbdCommand.BlockStatus || !kinds.Contains(kind))
        {
            throw Violation($"it sends block status of kind {kind} as an answer to {pending.Request.Command}");
        }

        bool wantsOne = pending.Request.Flags.HasFlag(NbdCommandFlags.ReqOne);
        NbdExtent[] extents = new NbdExtent[(length - sizeof(uint)) / ExtentBytes];
        long left = pending.Request.Length;
        for (int i = 0; i < extents.Length; i++)
        {
            ReadOnlySpan<byte> entry = payload.AsSpan(sizeof(uint) + (i * ExtentBytes), ExtentBytes);
            long bytes = BinaryPrimitives.ReadUInt32BigEndian(entry);

            // The last one may tell of what lies past the range; nobody asked for that.
            if (bytes == 0 || left <= 0 || (wantsOne && (bytes > left || extents.Length > 1)))
            {
                throw Violation($"its block status of {pending.Request.Length} bytes at {pending.Request.Offset} does not add up");
            }

            extents[i] = new NbdExtent(Math.Min(bytes, left), BinaryPrimitives.ReadUInt32BigEndian(entry[sizeof(uint)..]));
            left -= bytes;
        }

        if (!pending.Status.TryAdd(kind, extents))
        {
            throw Violation($"it sends block status of kind {kind} twice");
        }
    }

    private void Error(NbdPending pending, NbdChunkType type, int length)
    {
        byte[] payload = Take(length);
        NbdError error = (NbdError)BinaryPrimitives.ReadUInt32BigEndian(payload);
        int text = BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(sizeof(uint)));
        int tail = type == NbdChunkType.ErrorOffset ? sizeof(ulong) : 0;
        if (error == NbdError.None || text > length - ErrorHead - tail)
        {
            throw Violation("it sends an error that does not hold what it announces");
        }

        string message = NbdText.Show(payload.AsSpan(ErrorHead, text));
        if (type == NbdChunkType.ErrorOffset)
        {
            message = $"{message} (at {BinaryPrimitives.ReadUInt64BigEndian(payload.AsSpan(ErrorHead + text))})".TrimStart();
        }

        pending.Error ??= (error, message);
    }

    private byte[] Take(int length)
    {
        byte[] payload = new byte[length];
        stream.ReadExactly(payload);
        return payload;
    }

    private void End(NbdPending pending)
    {
        remove(pending);
        try
        {
            pending.End(kinds.Count);
        }
        catch (NbdConnectionException exception)
        {
            // It is under way no more, so nobody else would tell its caller.
            pending.Fail(exception);
            throw;
        }
    }
}
