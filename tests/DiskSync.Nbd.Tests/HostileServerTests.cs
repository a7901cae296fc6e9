using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Tests;

/// <summary>Servers that do not keep to the protocol: the connection is dead, and no caller waits or is told wrong bytes.</summary>
public sealed class HostileServerTests
{
    private static readonly byte[] Data = new byte[4096];

    /// <summary>What a server answers to a read of 4,096 bytes at 8,192.</summary>
    public static TheoryData<string, byte[]> WrongAnswers
    {
        get
        {
            byte[] at = ScriptedServer.Number64(8192);
            return new TheoryData<string, byte[]>
            {
                { "garbage", "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray() },
                { "an unknown cookie", Bytes(s => ScriptedServer.Simple(s, 99)) },
                { "a simple reply to a read", Bytes(s => ScriptedServer.Simple(s, 1)) },
                { "data before the read", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetData, true, [.. ScriptedServer.Number64(8191), .. Data])) },
                { "data past the read", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetData, true, [.. at, .. Data, 0])) },
                { "data at the end of all numbers", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetData, true, [.. ScriptedServer.Number64(ulong.MaxValue), .. Data])) },
                { "no data", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetData, true, at)) },
                { "half of the data", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetData, true, [.. at, .. Data.AsSpan(0, 2048)])) },
                { "nothing", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.None, true)) },
                {
                    "some of it twice",
                    Bytes(s =>
                    {
                        ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetData, false, [.. at, .. Data.AsSpan(0, 2048)]);
                        ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetHole, true, [.. ScriptedServer.Number64(8192 + 2047), .. ScriptedServer.Number32(2049)]);
                    })
                },
                { "a hole of nothing", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.OffsetHole, true, [.. at, 0, 0, 0, 0])) },
                { "a chunk that is not known", Bytes(s => ScriptedServer.Chunk(s, 1, (NbdChunkType)77, true, [1, 2, 3])) },
                { "a chunk longer than all", [.. ScriptedServer.Number32(NbdMagic.StructuredReply), 0, 1, 0, 1, .. ScriptedServer.Number64(1), 255, 255, 255, 255, .. at] },
                { "block status", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.BlockStatus, true, [.. ScriptedServer.Number32(1), 0, 0, 16, 0, 0, 0, 0, 0])) },
                { "an error of no kind", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.Error, true, [0, 0, 0, 0, 0, 0])) },
                { "an error whose text is cut", Bytes(s => ScriptedServer.Chunk(s, 1, NbdChunkType.Error, true, [0, 0, 0, 5, 0, 9, 65])) },
            };
        }
    }

    [Theory]
    [MemberData(nameof(WrongAnswers))]
    public void A_wrong_answer_ends_the_connection(string what, byte[] answer)
    {
        using ScriptedServer server = ScriptedServer.Answering((stream, _) => stream.Write(answer));
        using NbdClient client = server.Connect();
        NbdConnectionException failure = Assert.Throws<NbdConnectionException>(() => client.Read(8192, new byte[4096]));
        Assert.True(failure.Failure == NbdConnectionFailure.Violation, $"{what}: {failure.Message}");
        Assert.Throws<NbdConnectionException>(client.Flush);
    }

    [Theory]
    [InlineData(new[] { 4096u, 0u }, 4096L)]
    [InlineData(new[] { 4096u, 3u, 1u << 30, 0u }, 1L << 20)]
    public void Block_status_is_cut_to_what_was_asked(uint[] entries, long told)
    {
        using ScriptedServer server = ScriptedServer.Answering((stream, request) => ScriptedServer.Chunk(
            stream, request.Cookie, NbdChunkType.BlockStatus, true, [.. ScriptedServer.Number32(1), .. entries.SelectMany(ScriptedServer.Number32)]));
        using NbdClient client = server.Connect();
        Assert.Equal(told, client.Status(NbdClient.Allocation, 0, ScriptedServer.Length).Sum(e => e.Length));
    }

    [Theory]
    [InlineData(1u, new uint[] { })]
    [InlineData(1u, new[] { 0u, 0u })]
    [InlineData(1u, new[] { 1u << 20, 0u, 4096u, 0u })]
    [InlineData(2u, new[] { 4096u, 0u })]
    public void Block_status_that_does_not_add_up_ends_the_connection(uint kind, uint[] entries)
    {
        using ScriptedServer server = ScriptedServer.Answering((stream, request) => ScriptedServer.Chunk(
            stream, request.Cookie, NbdChunkType.BlockStatus, true, [.. ScriptedServer.Number32(kind), .. entries.SelectMany(ScriptedServer.Number32)]));
        using NbdClient client = server.Connect();
        Assert.Equal(
            NbdConnectionFailure.Violation,
            Assert.Throws<NbdConnectionException>(() => client.Status(NbdClient.Allocation, 0, ScriptedServer.Length)).Failure);
    }

    [Fact]
    public void An_errors_text_reaches_the_caller_without_orders_to_his_terminal()
    {
        using ScriptedServer server = ScriptedServer.Answering((stream, request) => ScriptedServer.Chunk(
            stream, request.Cookie, NbdChunkType.Error, true, [.. ScriptedServer.Number32(28), 0, 9, .. "full\u001b[2J!"u8]));
        using NbdClient client = server.Connect();
        NbdServerException failure = Assert.Throws<NbdServerException>(() => client.Write(0, new byte[512]));
        Assert.Equal(NbdError.NoSpace, failure.Error);
        Assert.Equal("the server answered ENOSPC (no space left), full [2J!", failure.Message);
        Assert.Throws<NbdServerException>(() => client.Write(0, new byte[512]));
    }

    [Fact]
    public void An_error_that_came_later_is_known_as_an_error()
    {
        using ScriptedServer server = ScriptedServer.Answering((stream, request) => ScriptedServer.Chunk(
            stream, request.Cookie, (NbdChunkType)0x8077, true, [.. ScriptedServer.Number32(200), 0, 0, 1, 2, 3]));
        using NbdClient client = server.Connect();
        Assert.Equal(200u, (uint)Assert.Throws<NbdServerException>(() => client.Read(0, new byte[512])).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("NBDMAGICIHAVEOP!\0\u0003")]
    public void What_is_no_nbd_server_is_told_as_such(string greeting)
    {
        using ScriptedServer server = new(stream => stream.Write(System.Text.Encoding.Latin1.GetBytes(greeting)));
        Assert.Contains(
            Assert.Throws<NbdConnectionException>(() => server.Connect()).Failure,
            (NbdConnectionFailure[])[NbdConnectionFailure.Violation, NbdConnectionFailure.Lost]);
    }

    [Fact]
    public void A_server_that_negotiates_a_byte_at_a_time_is_given_up()
    {
        using ScriptedServer server = new(stream =>
        {
            foreach (byte one in "NBDMAGICIHAVEOPT"u8.ToArray())
            {
                stream.WriteByte(one);
                Thread.Sleep(200);
            }
        });
        NbdConnectionException failure = Assert.Throws<NbdConnectionException>(
            () => server.Connect(new NbdClientOptions { NegotiationLimit = TimeSpan.FromMilliseconds(500) }));
        Assert.Equal(NbdConnectionFailure.Silent, failure.Failure);
    }

    [Fact]
    public void An_option_that_is_answered_for_ever_is_given_up()
    {
        using ScriptedServer server = new(stream =>
        {
            stream.Write([.. "NBDMAGICIHAVEOPT"u8, 0, 3]);
            while (true)
            {
                ScriptedServer.Reply(stream, NbdOption.List, NbdOptionReplyType.Server, [0, 0, 0, 1, 65]);
            }
        });
        NbdConnectionException failure = Assert.Throws<NbdConnectionException>(
            () => NbdClient.List(NbdDialer.For(NbdUri.Parse(server.Uri)), new NbdClientOptions()));
        Assert.Equal(NbdConnectionFailure.Violation, failure.Failure);
    }

    [Fact]
    public void A_server_that_takes_nothing_is_given_up()
    {
        using ScriptedServer server = new(stream =>
        {
            ScriptedServer.Negotiate(stream);
            Thread.Sleep(TimeSpan.FromSeconds(20));
        });
        using NbdClient client = server.Connect(new NbdClientOptions { ReplyLimit = TimeSpan.FromMilliseconds(500) });
        Assert.Throws<NbdConnectionException>(() => client.Write(0, new byte[ScriptedServer.Length]));
    }

    private static byte[] Bytes(Action<Stream> write)
    {
        using MemoryStream stream = new();
        write(stream);
        return stream.ToArray();
    }
}
