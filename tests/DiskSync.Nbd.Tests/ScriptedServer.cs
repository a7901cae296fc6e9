using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>A server that says to each client what a test has it say, right or wrong.</summary>
internal sealed class ScriptedServer : IDisposable
{
    public const int Length = 1 << 20;

    private readonly TempFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<Socket> _clients = [];
    private readonly Action<Stream> _script;

    public ScriptedServer(Action<Stream> script)
    {
        _script = script;
        _listener.Bind(new UnixDomainSocketEndPoint(_folder.File("s")));
        _listener.Listen(8);
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public string Uri => $"nbd+unix:///?socket={_folder.File("s")}";

    /// <summary>A server that negotiates as it should, with chunks and base:allocation as number 1, and then answers as the test wants.</summary>
    public static ScriptedServer Answering(Action<Stream, NbdRequest> answer) => new(stream =>
    {
        Negotiate(stream);
        while (true)
        {
            NbdRequest request = ReadRequest(stream);
            if (request.Command == NbdCommand.Write)
            {
                stream.ReadExactly(new byte[request.Length]);
            }

            answer(stream, request);
        }
    });

    public NbdClient Connect(NbdClientOptions? options = null) => NbdClient.Connect(NbdDialer.For(NbdUri.Parse(Uri)), options ?? new NbdClientOptions());

    public static void Negotiate(Stream stream)
    {
        stream.Write([.. "NBDMAGICIHAVEOPT"u8, 0, 3]);
        stream.ReadExactly(new byte[4]);
        while (true)
        {
            byte[] head = new byte[16];
            stream.ReadExactly(head);
            NbdOption option = (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(8));
            stream.ReadExactly(new byte[BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(12))]);
            switch (option)
            {
                case NbdOption.SetMetaContext:
                    Reply(stream, option, NbdOptionReplyType.MetaContext, [.. Number32(1), .. Encoding.ASCII.GetBytes(NbdClient.Allocation)]);
                    break;
                case NbdOption.Go:
                    Reply(stream, option, NbdOptionReplyType.Info, [0, 0, .. Number64(Length), 0x05, 0xed]);
                    break;
            }

            Reply(stream, option, NbdOptionReplyType.Ack);
            if (option == NbdOption.Go)
            {
                return;
            }
        }
    }

    public static NbdRequest ReadRequest(Stream stream)
    {
        byte[] bytes = new byte[NbdRequest.Size];
        stream.ReadExactly(bytes);
        NbdRequest.TryRead(bytes, out NbdRequest request);
        return request;
    }

    public static void Reply(Stream stream, NbdOption option, NbdOptionReplyType type, params byte[] data) => stream.Write(
        [.. Number64(NbdMagic.OptionReply), .. Number32((uint)option), .. Number32((uint)type), .. Number32((uint)data.Length), .. data]);

    public static void Simple(Stream stream, ulong cookie, uint error = 0) =>
        stream.Write([.. Number32(NbdMagic.SimpleReply), .. Number32(error), .. Number64(cookie)]);

    public static void Chunk(Stream stream, ulong cookie, NbdChunkType type, bool isLast, params byte[] data) => stream.Write(
    [
        .. Number32(NbdMagic.StructuredReply), 0, (byte)(isLast ? 1 : 0), (byte)((ushort)type >> 8), (byte)type,
        .. Number64(cookie), .. Number32((uint)data.Length), .. data,
    ]);

    public static byte[] Number32(uint number)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }

    public static byte[] Number64(ulong number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_clients)
        {
            _clients.ForEach(c => c.Dispose());
        }

        _folder.Dispose();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket client = _listener.Accept();
                lock (_clients)
                {
                    _clients.Add(client);
                }

                new Thread(() => Play(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private void Play(Socket client)
    {
        try
        {
            using NetworkStream stream = new(client, ownsSocket: true);
            _script(stream);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The client has gone.
        }
    }
}
