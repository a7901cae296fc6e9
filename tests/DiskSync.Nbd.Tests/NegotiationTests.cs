using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>What is agreed on before the first request.</summary>
public sealed class NegotiationTests
{
    private const NbdOption Unknown = (NbdOption)77;

    [Fact]
    public void Exports_are_listed()
    {
        using NbdLab lab = new(new MemoryExport(10), new MemoryExport(20) { Name = "zweite Platte, ü" });
        using NbdTestClient client = lab.Connect().Greet();
        List<(NbdOptionReplyType Type, byte[] Data)> answers = client.Option(NbdOption.List);
        Assert.Equal([NbdOptionReplyType.Server, NbdOptionReplyType.Server, NbdOptionReplyType.Ack], answers.Select(a => a.Type));
        Assert.Equal("zweite Platte, ü", Encoding.UTF8.GetString(answers[1].Data, 4, answers[1].Data.Length - 4));
    }

    [Fact]
    public void An_export_is_described_as_far_as_was_asked()
    {
        using NbdLab lab = new(new MemoryExport(12345));
        using NbdTestClient client = lab.Connect().Greet();
        byte[] request = [.. NbdTestClient.Text("disk"), 0, 3, 0, 1, 0, 2, 0, 3];
        List<(NbdOptionReplyType Type, byte[] Data)> answers = client.Option(NbdOption.Info, request);
        Assert.Equal(5, answers.Count);
        Assert.Equal(12345ul, BinaryPrimitives.ReadUInt64BigEndian(answers[0].Data.AsSpan(2)));
        var flags = (NbdTransmissionFlags)BinaryPrimitives.ReadUInt16BigEndian(answers[0].Data.AsSpan(10));
        Assert.True(flags.HasFlag(NbdTransmissionFlags.HasFlags | NbdTransmissionFlags.CanMultiConn | NbdTransmissionFlags.SendFastZero));
        Assert.False(flags.HasFlag(NbdTransmissionFlags.SendDf), "only with structured replies");
        Assert.Equal("disk", Encoding.UTF8.GetString(answers[1].Data, 2, answers[1].Data.Length - 2));
        Assert.Equal("a disk in memory", Encoding.UTF8.GetString(answers[2].Data, 2, answers[2].Data.Length - 2));
        Assert.Equal((uint)NbdLimits.MaxPayload, BinaryPrimitives.ReadUInt32BigEndian(answers[3].Data.AsSpan(10)));

        // After INFO the negotiation goes on.
        Assert.Equal(NbdOptionReplyType.Ack, client.Option(NbdOption.List)[^1].Type);
    }

    [Fact]
    public void The_oldest_way_to_begin_works_too()
    {
        using NbdLab lab = new(new MemoryExport(4096) { Content = { [7] = 42 } });
        foreach ((uint flags, int zeros) in (ReadOnlySpan<(uint, int)>)[(3, 0), (1, 124)])
        {
            using NbdTestClient client = lab.Connect().Greet(flags);
            client.SendOption(NbdOption.ExportName, 4, Encoding.ASCII.GetBytes("disk"));
            Assert.Equal(4096ul, BinaryPrimitives.ReadUInt64BigEndian(client.Read(8)));
            client.Read(2 + zeros);
            ulong cookie = client.Send(NbdCommand.Read, 7, 1);
            Assert.Equal((cookie, NbdError.None), client.SimpleReply());
            Assert.Equal(42, client.Read(1)[0]);
        }
    }

    [Fact]
    public void What_is_wrong_is_refused_and_the_negotiation_goes_on()
    {
        using NbdLab lab = new(new MemoryExport(4096));
        using NbdTestClient client = lab.Connect().Greet();
        byte[] none = NbdTestClient.Text("none");
        AssertRefused(NbdOptionReplyType.ErrorUnsupported, Unknown, 1, 2, 3);
        AssertRefused(NbdOptionReplyType.ErrorUnknown, NbdOption.Go, [.. none, 0, 0]);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.Go, none);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.Go, [.. none, 0, 1]);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.Go, [.. none, 0, 0, 9]);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.Info, 0, 0, 0, 9, (byte)'x');
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.Info, 0, 0, 0, 1, 0xff, 0, 0);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.List, 1);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.StructuredReply, 1);
        AssertRefused(NbdOptionReplyType.ErrorPolicy, NbdOption.StartTls);
        AssertRefused(NbdOptionReplyType.ErrorTooBig, NbdOption.Go, new byte[NbdLimits.MaxOption + 1]);

        // Before chunks were agreed on there is no block status.
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.ListMetaContext, [.. NbdTestClient.Text(string.Empty), 0, 0, 0, 0]);
        Assert.Equal(NbdOptionReplyType.Ack, client.Option(NbdOption.StructuredReply)[^1].Type);
        AssertRefused(NbdOptionReplyType.ErrorUnknown, NbdOption.ListMetaContext, [.. none, 0, 0, 0, 0]);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.ListMetaContext, [.. none, 0xff, 0, 0, 0]);
        AssertRefused(NbdOptionReplyType.ErrorInvalid, NbdOption.SetMetaContext, [.. none, 0, 0, 0, 1]);
        Assert.Equal(NbdOptionReplyType.Ack, client.Option(NbdOption.Go, 0, 0, 0, 0, 0, 0)[^1].Type);
        return;

        void AssertRefused(NbdOptionReplyType error, NbdOption option, params byte[] data)
        {
            List<(NbdOptionReplyType Type, byte[] Data)> answers = client.Option(option, data);
            Assert.Equal(error, Assert.Single(answers).Type);
            Assert.NotEmpty(answers[0].Data);
        }
    }

    [Fact]
    public void Who_does_not_speak_the_protocol_is_left()
    {
        using NbdLab lab = new(new MemoryExport(4096));
        AssertLeft(c => c.Stream.Write("GET / HTTP/1.1\r\n\r\n"u8));
        AssertLeft(c => c.Greet(flags: 4));
        AssertLeft(c => c.Greet(flags: 0));
        AssertLeft(c => c.Greet().Stream.Write(new byte[16]));
        AssertLeft(c => c.Greet().SendOption(NbdOption.Go, uint.MaxValue));
        AssertLeft(c => c.Greet().SendOption(NbdOption.ExportName, 4, Encoding.ASCII.GetBytes("none")));
        AssertLeft(c =>
        {
            c.Greet();
            for (int i = 0; i < NbdLimits.MaxOptions; i++)
            {
                c.Option(NbdOption.List);
            }
        });
        return;

        void AssertLeft(Action<NbdTestClient> speak)
        {
            using NbdTestClient client = lab.Connect();
            speak(client);
            while (!client.IsClosed())
            {
                // The greeting, where it was not taken.
            }
        }
    }

    [Fact]
    public void An_abort_is_answered()
    {
        using NbdLab lab = new(new MemoryExport(4096));
        using NbdTestClient client = lab.Connect().Greet();
        Assert.Equal(NbdOptionReplyType.Ack, Assert.Single(client.Option(NbdOption.Abort)).Type);
        Assert.True(client.IsClosed());
    }

    [Fact]
    public void Kinds_of_block_status_are_listed_by_name_and_namespace_and_chosen_by_name_alone()
    {
        using NbdLab lab = new(new MemoryExport(4096));
        using NbdTestClient client = lab.Connect().Greet();
        client.Option(NbdOption.StructuredReply);
        Assert.Equal(["base:allocation", "test:odd"], Kinds(NbdOption.ListMetaContext));
        Assert.Equal(["test:odd"], Kinds(NbdOption.ListMetaContext, "test:"));
        Assert.Equal(["base:allocation"], Kinds(NbdOption.ListMetaContext, "base:allocation", "none:such"));
        Assert.Equal([], Kinds(NbdOption.SetMetaContext));
        Assert.Equal([], Kinds(NbdOption.SetMetaContext, "test:"));
        Assert.Equal(["base:allocation", "test:odd"], Kinds(NbdOption.SetMetaContext, "test:odd", "base:allocation"));
        return;

        string[] Kinds(NbdOption option, params string[] queries)
        {
            byte[] data = [.. NbdTestClient.Text("disk"), .. NbdTestClient.Number32((uint)queries.Length), .. queries.SelectMany(NbdTestClient.Text)];
            List<(NbdOptionReplyType Type, byte[] Data)> answers = client.Option(option, data);
            Assert.Equal(NbdOptionReplyType.Ack, answers[^1].Type);
            return [.. answers.SkipLast(1).Select(a => Encoding.UTF8.GetString(a.Data, 4, a.Data.Length - 4))];
        }
    }

    [Fact]
    public void A_client_that_has_not_asked_for_block_sizes_is_refused_where_they_matter()
    {
        using NbdLab lab = new(new MemoryExport(8192) { MinimumBlock = 512 });
        using NbdTestClient client = lab.Connect().Greet();
        Assert.Equal(NbdOptionReplyType.ErrorBlockSizeRequired, client.Option(NbdOption.Go, 0, 0, 0, 0, 0, 0)[^1].Type);
        Assert.Equal(NbdOptionReplyType.Ack, client.Option(NbdOption.Go, 0, 0, 0, 0, 0, 1, 0, 3)[^1].Type);
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Trim, 511, 512));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Trim, 512, 511));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Trim, 512, 512));
    }

    [Fact]
    public void Nothing_is_answered_before_TLS_where_it_is_needed()
    {
        using NbdLab lab = new(new NbdServerOptions { RequiresTls = true }, new MemoryExport(4096));
        using NbdTestClient client = lab.Connect().Greet();
        foreach (NbdOption option in (NbdOption[])[NbdOption.List, NbdOption.Go, NbdOption.Info, NbdOption.StructuredReply, NbdOption.SetMetaContext])
        {
            Assert.Equal(NbdOptionReplyType.ErrorTlsRequired, Assert.Single(client.Option(option)).Type);
        }

        client.SendOption(NbdOption.ExportName, 0);
        Assert.True(client.IsClosed());
    }

    [Fact]
    public void Who_says_a_little_now_and_then_does_not_negotiate_for_ever()
    {
        using NbdLab lab = new(new NbdServerOptions { NegotiationLimit = TimeSpan.FromMilliseconds(500) }, new MemoryExport(4096));
        using NbdTestClient client = lab.Connect().Greet();
        Assert.Throws<IOException>(() =>
        {
            // An option of 60,000 bytes, none of them late.
            client.SendOption(NbdOption.List, 60_000);
            for (int i = 0; i < 60_000; i++)
            {
                client.Stream.WriteByte(0);
                Thread.Sleep(20);
            }
        });
        Assert.Contains("did not choose an export", lab.WaitForFailure().Message, StringComparison.Ordinal);
    }
}
