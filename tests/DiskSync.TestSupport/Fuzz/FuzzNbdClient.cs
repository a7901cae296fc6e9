using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the client of a hostile server: negotiation, then the answers to one request of each kind.</summary>
public static class FuzzNbdClient
{
    private const int Bytes = 1 << 16;
    private const int Part = 3000;
    private const byte Guard = 0xA5;

    private static readonly NbdClientOptions Options = new() { StatusKinds = [NbdClient.Allocation, "test:odd"] };

    /// <summary>Conversations with every option and command.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        byte[] flags = [0x05, 0xff];
        byte[] export = [0, 0, .. Number64(Bytes), .. flags];
        byte[] sizes = [0, 3, .. Number32(1), .. Number32(4096), .. Number32(1 << 25)];
        byte[] structured =
        [
            .. Hello(3),
            .. Reply(NbdOption.StructuredReply, NbdOptionReplyType.Ack),
            .. Reply(NbdOption.SetMetaContext, NbdOptionReplyType.MetaContext, [.. Number32(1), .. "base:allocation"u8]),
            .. Reply(NbdOption.SetMetaContext, NbdOptionReplyType.MetaContext, [.. Number32(9), .. "test:odd"u8]),
            .. Reply(NbdOption.SetMetaContext, NbdOptionReplyType.Ack),
            .. Reply(NbdOption.Go, NbdOptionReplyType.Info, export),
            .. Reply(NbdOption.Go, NbdOptionReplyType.Info, sizes),
            .. Reply(NbdOption.Go, NbdOptionReplyType.Info, [0, 2, .. "a disk"u8]),
            .. Reply(NbdOption.Go, NbdOptionReplyType.Ack),
        ];
        return
        [
            [
                .. structured,
                .. Chunk(2, NbdChunkType.None, true),
                .. Chunk(1, NbdChunkType.OffsetHole, false, [.. Number64(512), .. Number32(1000)]),
                .. Chunk(4, NbdChunkType.BlockStatus, false, [.. Number32(1), .. Number32(4096), .. Number32(3), .. Number32(Bytes), .. Number32(0)]),
                .. Chunk(4, NbdChunkType.BlockStatus, true, [.. Number32(9), .. Number32(Bytes), .. Number32(0)]),
                .. Chunk(1, NbdChunkType.OffsetData, true, [.. Number64(1512), .. new byte[Part - 1000]]),
                .. Simple(3, NbdError.None),
                .. Chunk(5, NbdChunkType.ErrorOffset, true, [.. Number32(5), 0, 2, .. "no"u8, .. Number64(4096)]),
            ],
            [.. structured, .. Chunk(1, NbdChunkType.Error, true, [.. Number32(5), 0, 2, .. "no"u8]), .. Simple(2, NbdError.Io)],
            [
                .. Hello(1),
                .. Reply(NbdOption.StructuredReply, NbdOptionReplyType.ErrorUnsupported, "what?"u8.ToArray()),
                .. Reply(NbdOption.Go, NbdOptionReplyType.ErrorUnsupported),
                .. Number64(Bytes), .. flags, .. new byte[124],
                .. Simple(1, NbdError.None), .. new byte[Part], .. Simple(2, NbdError.None), .. Simple(3, NbdError.NoSpace),
            ],
            [.. Hello(2), .. Number64(Bytes), .. flags, .. Simple(1, NbdError.Io)],
        ];
    }

    /// <summary>Plays one conversation; the client may take the answers, or refuse the server in one of its own ways.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        using Conversation conversation = new(input.ToArray());
        byte[] memory = new byte[Part + 200];
        memory.AsSpan().Fill(Guard);
        try
        {
            using NbdClient client = NbdClient.Connect(_ => conversation, Options);
            Task[] asked = Ask(client, memory.AsMemory(100, Part));
            conversation.LetAnswer();
            foreach (Task task in asked)
            {
                Await(task);
            }
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException)
        {
            // Refused.
        }

        if (memory.AsSpan(0, 100).ContainsAnyExcept(Guard) || memory.AsSpan(Part + 100).ContainsAnyExcept(Guard))
        {
            throw new InvalidOperationException("the client wrote outside the buffer of a read");
        }
    }

    private static Task[] Ask(NbdClient client, Memory<byte> buffer)
    {
        if (client.Export.Length < Bytes || client.Export.MinimumBlock > 512)
        {
            return [];
        }

        int block = client.Export.MinimumBlock;
        Memory<byte> part = buffer[..(Part / block * block)];
        List<Task> asked = [client.ReadAsync(512, part, CancellationToken.None)];
        NbdExportInfo export = client.Export;
        if (!export.IsReadOnly)
        {
            asked.Add(client.WriteAsync(0, new byte[512], fua: false, CancellationToken.None));
        }

        if (export.CanFlush)
        {
            asked.Add(client.FlushAsync(CancellationToken.None));
        }

        if (export.StatusKinds.Count > 0)
        {
            asked.Add(StatusAsync(client));
        }

        if (!export.IsReadOnly && export.CanZero)
        {
            asked.Add(client.ZeroAsync(4096, 4096, NbdCommandFlags.None, CancellationToken.None));
        }

        return [.. asked];
    }

    private static async Task StatusAsync(NbdClient client)
    {
        IReadOnlyList<NbdExtent> extents = await client.StatusAsync(client.Export.StatusKinds[0], 0, Bytes, CancellationToken.None);
        if (extents.Count == 0 || extents.Any(e => e.Length <= 0) || extents.Sum(e => e.Length) > Bytes)
        {
            throw new InvalidOperationException("the client let block status through that does not fit what was asked");
        }
    }

    private static void Await(Task task)
    {
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdServerException)
        {
            // Refused, or cut off.
        }
    }

    private static byte[] Hello(byte flags) => [.. "NBDMAGICIHAVEOPT"u8, 0, flags];

    private static byte[] Reply(NbdOption option, NbdOptionReplyType type, params byte[] data) =>
        [.. Number64(NbdMagic.OptionReply), .. Number32((uint)option), .. Number32((uint)type), .. Number32((uint)data.Length), .. data];

    private static byte[] Simple(ulong cookie, NbdError error) => [.. Number32(NbdMagic.SimpleReply), .. Number32((uint)error), .. Number64(cookie)];

    private static byte[] Chunk(ulong cookie, NbdChunkType type, bool isLast, params byte[] data) =>
    [
        .. Number32(NbdMagic.StructuredReply), 0, (byte)(isLast ? 1 : 0), (byte)((ushort)type >> 8), (byte)type,
        .. Number64(cookie), .. Number32((uint)data.Length), .. data,
    ];

    private static byte[] Number32(uint number)
    {
        byte[] bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Number64(ulong number)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    /// <summary>Gives the input out, but from the first reply on only after all has been asked.</summary>
    private sealed class Conversation(byte[] input) : MemoryStream(input, writable: false)
    {
        private static readonly byte[] RequestMagic = Number32(NbdMagic.Request);

        private readonly ManualResetEventSlim _mayAnswer = new(true);
        private readonly int _negotiating = Environment.CurrentManagedThreadId;

        public override bool CanWrite => true;

        public void LetAnswer() => _mayAnswer.Set();

        public override int Read(Span<byte> buffer)
        {
            // Negotiation is read by the thread that connects, replies by another, which may be early.
            if (Environment.CurrentManagedThreadId != _negotiating && !_mayAnswer.IsSet)
            {
                _mayAnswer.Wait();
            }

            return base.Read(buffer.Length > 1300 ? buffer[..1300] : buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (buffer.StartsWith(RequestMagic))
            {
                return;
            }

            // Still negotiating, so whatever comes next waits for what will be asked.
            _mayAnswer.Reset();
        }

        protected override void Dispose(bool disposing)
        {
            _mayAnswer.Set();
            base.Dispose(disposing);
        }
    }
}
