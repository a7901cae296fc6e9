using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Tests;

/// <summary>Sends what a client may send, and what none should; what comes back is taken apart by the letter of the specification.</summary>
/// <param name="stream">The connection, owned.</param>
internal sealed class NbdTestClient(Stream stream) : IDisposable
{
    private ulong _cookie;

    public Stream Stream => stream;

    /// <summary>Takes the greeting and answers it.</summary>
    public NbdTestClient Greet(uint flags = 3)
    {
        byte[] hello = Read(18);
        Assert.Equal("NBDMAGICIHAVEOPT", Encoding.ASCII.GetString(hello, 0, 16));
        Assert.Equal(3, BinaryPrimitives.ReadUInt16BigEndian(hello.AsSpan(16)));
        stream.Write(Number32(flags));
        return this;
    }

    /// <summary>Sends an option and takes its answers up to the last.</summary>
    public List<(NbdOptionReplyType Type, byte[] Data)> Option(NbdOption option, params byte[] data)
    {
        SendOption(option, (uint)data.Length, data);
        List<(NbdOptionReplyType, byte[])> answers = [];
        while (true)
        {
            byte[] head = Read(20);
            Assert.Equal(NbdMagic.OptionReply, BinaryPrimitives.ReadUInt64BigEndian(head));
            Assert.Equal((uint)option, BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(8)));
            var type = (NbdOptionReplyType)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12));
            answers.Add((type, Read((int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16)))));
            if (type == NbdOptionReplyType.Ack || type.HasFlag(NbdOptionReplyType.Error))
            {
                return answers;
            }
        }
    }

    /// <summary>Sends an option, whatever it says of its length.</summary>
    public void SendOption(NbdOption option, uint length, params byte[] data)
    {
        byte[] message = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdMagic.Option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(12), length);
        data.CopyTo(message.AsSpan(16));
        stream.Write(message);
    }

    /// <summary>Negotiates up to the first request.</summary>
    /// <param name="structured">Whether to ask for chunks.</param>
    /// <param name="kinds">Kinds of block status to choose.</param>
    public NbdTestClient Go(bool structured = false, params string[] kinds)
    {
        Greet();
        if (structured)
        {
            Assert.Equal(NbdOptionReplyType.Ack, Option(NbdOption.StructuredReply)[^1].Type);
        }

        if (kinds.Length > 0)
        {
            byte[] data = [.. Text(string.Empty), .. Number32((uint)kinds.Length), .. kinds.SelectMany(Text)];
            Assert.Equal(kinds.Length + 1, Option(NbdOption.SetMetaContext, data).Count);
        }

        Assert.Equal(NbdOptionReplyType.Ack, Option(NbdOption.Go, [.. Text(string.Empty), 0, 0])[^1].Type);
        return this;
    }

    /// <summary>Sends a request.</summary>
    /// <returns>Its cookie.</returns>
    public ulong Send(NbdCommand command, ulong offset, uint length, NbdCommandFlags flags = NbdCommandFlags.None, byte[]? data = null)
    {
        byte[] message = new byte[NbdRequest.Size + (data?.Length ?? 0)];
        new NbdRequest(flags, command, ++_cookie, offset, length).Write(message);
        data?.CopyTo(message.AsSpan(NbdRequest.Size));
        stream.Write(message);
        return _cookie;
    }

    /// <summary>Takes a simple reply without data.</summary>
    public (ulong Cookie, NbdError Error) SimpleReply()
    {
        byte[] head = Read(16);
        Assert.Equal(NbdMagic.SimpleReply, BinaryPrimitives.ReadUInt32BigEndian(head));
        return (BinaryPrimitives.ReadUInt64BigEndian(head.AsSpan(8)), (NbdError)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(4)));
    }

    /// <summary>Takes a chunk.</summary>
    public (ulong Cookie, NbdChunkType Type, bool IsLast, byte[] Payload) Chunk()
    {
        byte[] head = Read(20);
        Assert.Equal(NbdMagic.StructuredReply, BinaryPrimitives.ReadUInt32BigEndian(head));
        return (
            BinaryPrimitives.ReadUInt64BigEndian(head.AsSpan(8)),
            (NbdChunkType)BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(6)),
            (BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(4)) & 1) != 0,
            Read((int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(16))));
    }

    /// <summary>Sends a request and takes its simple reply.</summary>
    public NbdError Do(NbdCommand command, ulong offset, uint length, NbdCommandFlags flags = NbdCommandFlags.None, byte[]? data = null)
    {
        ulong cookie = Send(command, offset, length, flags, data);
        (ulong answered, NbdError error) = SimpleReply();
        Assert.Equal(cookie, answered);
        return error;
    }

    /// <summary>Whether the server has closed the connection.</summary>
    public bool IsClosed()
    {
        try
        {
            return stream.ReadByte() < 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public byte[] Read(int length)
    {
        byte[] bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    public void Dispose() => stream.Dispose();

    /// <summary>A length and a text, as options hold them.</summary>
    public static byte[] Text(string text) => [.. Number32((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Number32(uint number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }
}
