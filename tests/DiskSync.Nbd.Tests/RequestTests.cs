using System.Buffers.Binary;
using System.Text;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>Requests and what they are answered with.</summary>
public sealed class RequestTests
{
    private const int Length = 1 << 20;

    [Theory]
    [InlineData(true, 4096)]
    [InlineData(false, 4096)]
    [InlineData(true, 300_000)]
    [InlineData(false, 300_000)]
    public void What_was_written_is_read(bool cached, int length)
    {
        MemoryExport export = new(Length) { IsCached = cached };
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go();
        byte[] data = SampleImage.Noise(1, length);
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, 12_345, (uint)length, data: data));
        Assert.Equal(data, export.Content[12_345..(12_345 + length)]);
        ulong cookie = client.Send(NbdCommand.Read, 12_345, (uint)length);
        Assert.Equal((cookie, NbdError.None), client.SimpleReply());
        Assert.Equal(data, client.Read(length));
    }

    [Fact]
    public void Many_requests_are_under_way_at_once_and_answered_as_they_get_done()
    {
        using ManualResetEventSlim first = new();
        MemoryExport export = new(Length) { IsCached = false };
        export.Before = (what, offset) =>
        {
            if (what == "read" && offset == 0)
            {
                first.Wait();
            }
        };
        SampleImage.Noise(2, Length).CopyTo(export.Content, 0);
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go();
        Dictionary<ulong, int> sent = [];
        for (int i = 0; i < 64; i++)
        {
            sent.Add(client.Send(NbdCommand.Read, (ulong)(i * 4096), 4096), i);
        }

        for (int i = 0; i < 63; i++)
        {
            Take();
        }

        first.Set();
        Assert.Equal(0, Take());
        return;

        int Take()
        {
            (ulong cookie, NbdError error) = client.SimpleReply();
            Assert.Equal(NbdError.None, error);
            Assert.True(sent.Remove(cookie, out int place));
            Assert.Equal(export.Content[(place * 4096)..((place + 1) * 4096)], client.Read(4096));
            return place;
        }
    }

    [Fact]
    public void Requests_that_make_no_sense_are_refused_and_the_connection_goes_on()
    {
        using NbdLab lab = new(new MemoryExport(Length));
        using NbdTestClient client = lab.Connect().Go();
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Read, Length, 1));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Read, ulong.MaxValue, 2));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Read, 0, uint.MaxValue));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Trim, 1, Length));
        Assert.Equal(NbdError.NoSpace, client.Do(NbdCommand.WriteZeroes, 1, Length));
        Assert.Equal(NbdError.NoSpace, client.Do(NbdCommand.Write, Length - 1, 2, data: [1, 2]));
        Assert.Equal(NbdError.NoSpace, client.Do(NbdCommand.Write, Length - 1, 500_000, data: new byte[500_000]));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Write, 0, 1, (NbdCommandFlags)0x8000, [1]));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Read, 0, 1, NbdCommandFlags.NoHole));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.BlockStatus, 0, 1));
        Assert.Equal(NbdError.Invalid, client.Do((NbdCommand)9, 0, 1));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Flush, 0, 0));
    }

    [Fact]
    public void A_request_larger_than_the_limit_is_refused()
    {
        using NbdLab lab = new(new MemoryExport(40 << 20));
        using NbdTestClient client = lab.Connect().Go();
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Read, 0, (32 << 20) + 1));
        Assert.Equal(NbdError.Invalid, client.Do(NbdCommand.Write, 0, (32 << 20) + 1, data: new byte[(32 << 20) + 1]));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, 0, 32 << 20, data: new byte[32 << 20]));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.WriteZeroes, 0, 40 << 20));
        client.Send(NbdCommand.Write, 0, uint.MaxValue);
        Assert.True(client.IsClosed());
        Assert.Contains("4294967295 bytes", lab.WaitForFailure().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_written_where_nothing_may_be()
    {
        MemoryExport export = new(Length) { IsReadOnly = true };
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go();
        Assert.Equal(NbdError.NotPermitted, client.Do(NbdCommand.Write, 0, 3, data: [1, 2, 3]));
        Assert.Equal(NbdError.NotPermitted, client.Do(NbdCommand.WriteZeroes, 0, 3));
        Assert.Equal(NbdError.NotPermitted, client.Do(NbdCommand.Trim, 0, 3));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Flush, 0, 0));
        Assert.DoesNotContain(export.Content, b => b != 0);
    }

    [Fact]
    public void FUA_flushes_before_the_answer_and_zeros_are_made_as_asked()
    {
        List<string> done = [];
        MemoryExport export = new(Length);
        export.Before = (what, _) =>
        {
            lock (done)
            {
                done.Add(what);
            }
        };
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go();
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, 0, 1, NbdCommandFlags.Fua, [1]));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.WriteZeroes, 0, 1, NbdCommandFlags.Fua | NbdCommandFlags.NoHole));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.WriteZeroes, 0, 1, NbdCommandFlags.FastZero));
        Assert.Equal(NbdError.NotSupported, client.Do(NbdCommand.WriteZeroes, 0, 1, NbdCommandFlags.FastZero | NbdCommandFlags.NoHole | NbdCommandFlags.Fua));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Trim, 0, 1));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Cache, 0, 1));
        Assert.Equal(["write", "flush", "zero, no hole", "flush", "zero fast", "zero fast", "trim", "cache"], done);
    }

    [Fact]
    public void A_failure_is_that_of_its_request_alone()
    {
        MemoryExport export = new(Length) { IsCached = false };
        export.Before = (what, offset) =>
        {
            if (offset == 4096)
            {
                throw what == "read" ? new NbdExportException(NbdError.Io, "a bad sector at 4096") : new InvalidOperationException("unforeseen");
            }
        };
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go();
        Assert.Equal(NbdError.Io, client.Do(NbdCommand.Read, 4096, 1));
        Assert.Equal(NbdError.Io, client.Do(NbdCommand.Write, 4096, 1, data: [1]));
        Assert.Equal(NbdError.Io, client.Do(NbdCommand.Trim, 4096, 1));
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, 0, 1, data: [1]));

        using NbdTestClient structured = lab.Connect().Go(structured: true);
        ulong cookie = structured.Send(NbdCommand.Read, 4096, 1);
        (ulong answered, NbdChunkType type, bool isLast, byte[] payload) = structured.Chunk();
        Assert.Equal((cookie, NbdChunkType.Error, true), (answered, type, isLast));
        Assert.Equal((uint)NbdError.Io, BinaryPrimitives.ReadUInt32BigEndian(payload));
        Assert.Equal("a bad sector at 4096", Encoding.UTF8.GetString(payload, 6, payload.Length - 6));
    }

    [Fact]
    public void Data_come_in_chunks_where_that_was_agreed_on()
    {
        MemoryExport export = new(Length);
        SampleImage.Noise(3, Length).CopyTo(export.Content, 0);
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go(structured: true);
        foreach (int length in (int[])[512, 500_000])
        {
            ulong cookie = client.Send(NbdCommand.Read, 1000, (uint)length, NbdCommandFlags.Df);
            (ulong answered, NbdChunkType type, bool isLast, byte[] payload) = client.Chunk();
            Assert.Equal((cookie, NbdChunkType.OffsetData, true), (answered, type, isLast));
            Assert.Equal(1000ul, BinaryPrimitives.ReadUInt64BigEndian(payload));
            Assert.Equal(export.Content[1000..(1000 + length)], payload[8..]);
        }

        client.Send(NbdCommand.Read, 0, 0);
        Assert.Equal(NbdChunkType.None, client.Chunk().Type);
        client.Send(NbdCommand.Flush, 0, 0);
        Assert.Equal(NbdError.None, client.SimpleReply().Error);
    }

    [Fact]
    public void Block_status_comes_in_a_chunk_for_each_kind()
    {
        MemoryExport export = new(Length) { Content = { [0] = 1, [3 * 4096] = 1 } };
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go(structured: true, "base:allocation", "test:odd");
        ulong cookie = client.Send(NbdCommand.BlockStatus, 0, Length);
        (ulong first, NbdChunkType type, bool isLast, byte[] payload) = client.Chunk();
        Assert.Equal((cookie, NbdChunkType.BlockStatus, false), (first, type, isLast));
        Assert.Equal((1u, "4096:0 8192:3 4096:0 1032192:3"), Extents(payload));
        (ulong second, type, isLast, payload) = client.Chunk();
        Assert.Equal((cookie, NbdChunkType.BlockStatus, true), (second, type, isLast));
        Assert.Equal(256, Extents(payload).Text.Split(' ').Length);

        client.Send(NbdCommand.BlockStatus, 0, 5000, NbdCommandFlags.ReqOne);
        Assert.Equal((1u, "4096:0"), Extents(client.Chunk().Payload));
        Assert.Equal((2u, "4096:0"), Extents(client.Chunk().Payload));
        client.Send(NbdCommand.BlockStatus, (3 * 4096) - 1, 5000);
        Assert.Equal((1u, "1:3 4096:0 903:3"), Extents(client.Chunk().Payload));
        Assert.Equal((2u, "1:0 4096:1 903:0"), Extents(client.Chunk().Payload));
        return;

        static (uint Kind, string Text) Extents(byte[] payload)
        {
            List<string> extents = [];
            for (int at = 4; at < payload.Length; at += 8)
            {
                extents.Add($"{BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(at))}:{BinaryPrimitives.ReadUInt32BigEndian(payload.AsSpan(at + 4))}");
            }

            return (BinaryPrimitives.ReadUInt32BigEndian(payload), string.Join(' ', extents));
        }
    }

    [Fact]
    public void Who_goes_in_the_middle_of_something_harms_nobody()
    {
        MemoryExport export = new(Length);
        using NbdLab lab = new(export);
        foreach (int sent in (int[])[1, 27, 28, 28 + 100_000])
        {
            using NbdTestClient client = lab.Connect().Go();
            byte[] message = new byte[28 + 200_000];
            new NbdRequest(NbdCommandFlags.Fua, NbdCommand.Write, 1, 0, 200_000).Write(message);
            message.AsSpan(28).Fill(1);
            client.Stream.Write(message.AsSpan(0, sent));
        }

        using NbdTestClient other = lab.Connect().Go();
        Assert.Equal(NbdError.None, other.Do(NbdCommand.Flush, 0, 0));
        Assert.DoesNotContain(export.Content, b => b != 0);
    }

    [Fact]
    public void Who_sends_no_request_is_left()
    {
        using NbdLab lab = new(new MemoryExport(Length));
        using NbdTestClient client = lab.Connect().Go();
        client.Stream.Write(new byte[28]);
        Assert.True(client.IsClosed());
    }

    [Fact]
    public void A_client_that_reads_none_of_its_replies_holds_nobody_else_up()
    {
        MemoryExport export = new(8 << 20) { IsCached = false };
        NbdServerOptions options = new() { ConnectionBytes = 16 << 20, TotalBytes = 40 << 20, Workers = 2 };
        using NbdLab lab = new(options, export);
        using NbdTestClient silent = lab.Connect().Go();
        Thread asking = new(() =>
        {
            try
            {
                for (int i = 0; i < 1000; i++)
                {
                    silent.Send(NbdCommand.Read, 0, 8 << 20);
                }
            }
            catch (IOException)
            {
                // The end of the test.
            }
        });
        asking.Start();
        using NbdTestClient other = lab.Connect().Go();
        for (int i = 0; i < 50; i++)
        {
            ulong cookie = other.Send(NbdCommand.Read, 0, 1 << 20);
            Assert.Equal((cookie, NbdError.None), other.SimpleReply());
            other.Read(1 << 20);
        }

        silent.Dispose();
        asking.Join();
    }

    [Fact]
    public void What_was_begun_is_finished_when_the_client_goes()
    {
        MemoryExport export = new(Length);
        using NbdLab lab = new(export);
        using (NbdTestClient client = lab.Connect().Go())
        {
            for (int i = 0; i < 100; i++)
            {
                client.Send(NbdCommand.Write, (ulong)i * 4096, 4096, NbdCommandFlags.Fua, SampleImage.Noise(i, 4096));
            }

            client.Send(NbdCommand.Disconnect, 0, 0);
            for (int i = 0; i < 100; i++)
            {
                Assert.Equal(NbdError.None, client.SimpleReply().Error);
            }

            Assert.True(client.IsClosed());
        }

        Assert.Equal(100, export.Flushes);
        Assert.Empty(lab.Failures);
    }

    [Fact]
    public void A_write_that_takes_long_does_not_keep_what_comes_after_it()
    {
        MemoryExport export = new(Length);
        using ManualResetEventSlim read = new();
        export.Before = (what, offset) =>
        {
            if (what == "write" && offset == 0)
            {
                Thread.Sleep(30);
            }
            else if (what == "write")
            {
                read.Wait(TimeSpan.FromSeconds(20));
            }
        };
        using NbdLab lab = new(export);
        using NbdTestClient client = lab.Connect().Go();

        // The first one tells that writes take long here; from then on they are the workers'.
        Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, 0, 1, data: [1]));
        ulong write = client.Send(NbdCommand.Write, 4096, 1, data: [1]);
        ulong behind = client.Send(NbdCommand.Read, 0, 1);
        Assert.Equal((behind, NbdError.None), client.SimpleReply());
        Assert.Equal([1], client.Read(1));
        read.Set();
        Assert.Equal((write, NbdError.None), client.SimpleReply());
    }

    [Fact]
    public void What_waits_for_another_host_holds_up_nothing_else_however_much_of_it_there_is()
    {
        using ManualResetEventSlim link = new();
        MemoryExport export = new(Length) { IsCached = false, Waits = offset => offset >= Length / 2 };
        export.Before = (_, offset) =>
        {
            if (offset >= Length / 2)
            {
                link.Wait();
            }
        };
        using NbdLab lab = new(new NbdServerOptions { Workers = 2 }, export);
        using NbdTestClient client = lab.Connect().Go();
        byte[] data = SampleImage.Noise(3, 512);
        List<ulong> waiting = [];
        for (int i = 0; i < 50; i++)
        {
            waiting.Add(client.Send(NbdCommand.Read, (ulong)((Length / 2) + (i * 512)), 512));
            waiting.Add(client.Send(NbdCommand.Write, (ulong)((Length / 2) + (i * 512)), 512, data: data));
        }

        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, (ulong)(i * 512), 512, data: data));
            ulong cookie = client.Send(NbdCommand.Read, (ulong)(i * 512), 512);
            Assert.Equal((cookie, NbdError.None), client.SimpleReply());
            Assert.Equal(data, client.Read(512));
        }

        link.Set();
        for (int i = 0; i < 100; i++)
        {
            (ulong cookie, NbdError error) = client.SimpleReply();
            Assert.Equal(NbdError.None, error);
            int index = waiting.IndexOf(cookie);
            Assert.True(index >= 0);
            if (index % 2 == 0)
            {
                client.Read(512);
            }
        }
    }

    [Fact]
    public void Requests_are_let_gather_only_where_many_come()
    {
        int pauses = 0;
        using NbdLab lab = new(new NbdServerOptions { Pause = () => Interlocked.Increment(ref pauses) }, new MemoryExport(Length));
        using NbdTestClient client = lab.Connect().Go();
        for (int i = 0; i < 2000; i++)
        {
            Assert.Equal(NbdError.None, client.Do(NbdCommand.Write, 0, 1, data: [1]));
        }

        int alone = pauses;
        Assert.InRange(alone, 1, 10);

        byte[] requests = [.. Enumerable.Range(0, 32).SelectMany(_ => Request())];
        for (int i = 0; i < 5000; i++)
        {
            client.Stream.Write(requests);
            client.Read(32 * 17);
        }

        Assert.InRange(pauses - alone, 100, 5000);

        static byte[] Request()
        {
            byte[] bytes = new byte[NbdRequest.Size];
            new NbdRequest(NbdCommandFlags.None, NbdCommand.Read, 1, 0, 1).Write(bytes);
            return bytes;
        }
    }
}
