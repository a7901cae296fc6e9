using System.Net.Sockets;
using DiskSync.Nbd.Client;
using DiskSync.Nbd.Wire;

namespace DiskSync.Engine.Tests.Exports;

/// <summary>An export under many clients at once, some of which do not behave.</summary>
public sealed class ManyClientsTests
{
    private const int Connections = 16;
    private const int Depth = 32;
    private const int Steps = 10;

    // Above what a connection's own thread reads and writes by itself.
    private const int Piece = 160 << 10;

    [Fact]
    public async Task Sixteen_connections_at_depth_32_leave_what_they_wrote()
    {
        byte[] model = new byte[Connections * Depth * Piece];
        using ExportLab lab = new(model.Length);
        using Socket deaf = lab.DialDeaf();
        for (uint i = 0; i < 64; i++)
        {
            // More than its socket takes: its own replies wait, and nobody else's.
            ExportLab.Send(deaf, NbdCommand.Read, i, 0, 1 << 20);
        }

        NbdClient[] clients = [.. Enumerable.Range(0, Connections).Select(_ => lab.Connect())];
        Task[] lanes = [.. Enumerable.Range(0, Connections * Depth).Select(i => Task.Run(() => Lane(clients[i % Connections], i, model)))];
        await Task.WhenAll(lanes);
        await clients[0].FlushAsync(CancellationToken.None);
        byte[] read = new byte[model.Length];
        for (int at = 0; at < read.Length; at += 16 << 20)
        {
            clients[1].Read(at, read.AsSpan(at, Math.Min(16 << 20, read.Length - at)));
        }

        Array.ForEach(clients, c => c.Dispose());
        byte[] file = lab.Content();
        Assert.True(model.AsSpan().SequenceEqual(read), "what is read is not what was written");
        Assert.True(model.AsSpan().SequenceEqual(file), "the file is not what was written");
    }

    [Fact]
    public void A_client_that_dies_in_the_middle_of_a_write_has_written_nothing_and_harms_nobody()
    {
        using ExportLab lab = new(8 << 20);
        using NbdClient other = lab.Connect();
        byte[] data = new byte[1 << 20];
        Array.Fill(data, (byte)7);
        for (int i = 0; i < 20; i++)
        {
            using (Socket dying = lab.DialDeaf())
            {
                // Within what comes with the head, and past it.
                ExportLab.Send(dying, NbdCommand.Write, 1, 4 << 20, (uint)data.Length);
                ExportLab.Send(dying, data.AsSpan(0, i % 2 == 0 ? 1000 : 700_000));
            }

            other.Write(0, data);
        }

        other.Flush();
        byte[] content = lab.Content();
        Assert.Equal(data, content[..data.Length]);
        Assert.DoesNotContain(content[data.Length..], b => b != 0);
    }

    [Fact]
    public void A_connection_too_many_is_turned_away_and_spoken_of()
    {
        using ExportLab lab = new(4096);
        List<Socket> sockets = [];
        try
        {
            for (int i = 0; i < 257; i++)
            {
                sockets.Add(lab.Dial());
            }

            // The greeting, or the end.
            Assert.Equal(0, sockets.Min(s => s.Receive(new byte[18])));
            Assert.True(SpinWait.SpinUntil(() => Told(lab) > 0, TimeSpan.FromSeconds(20)), "nothing was said");
            for (int i = 0; i < 5; i++)
            {
                using Socket more = lab.Dial();
                Assert.Equal(0, more.Receive(new byte[18]));
            }

            Assert.Equal(1, Told(lab));
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    private static int Told(ExportLab lab)
    {
        lock (lab.Warnings)
        {
            return lab.Warnings.Count(w => w.Contains("turned away", StringComparison.Ordinal));
        }
    }

    /// <summary>One request after the other on a piece that nobody else touches.</summary>
    private static async Task Lane(NbdClient client, int lane, byte[] model)
    {
        Random dice = new(lane);
        int start = lane * Piece;
        byte[] buffer = new byte[Piece];
        for (int step = 0; step < Steps; step++)
        {
            int offset = dice.Next(4) == 0 ? 0 : dice.Next(Piece);
            int length = offset == 0 ? Piece : dice.Next(1, Math.Min(Piece - offset, 20_000) + 1);
            Memory<byte> part = buffer.AsMemory(0, length);
            Memory<byte> expected = model.AsMemory(start + offset, length);
            switch (dice.Next(8))
            {
                case 0:
                    await client.ZeroAsync(start + offset, length, dice.Next(2) == 0 ? NbdCommandFlags.None : NbdCommandFlags.NoHole, CancellationToken.None);
                    expected.Span.Clear();
                    break;
                case 1:
                    await client.TrimAsync(start + offset, length, CancellationToken.None);
                    await client.WriteAsync(start + offset, part, false, CancellationToken.None);
                    part.CopyTo(expected);
                    break;
                case 2 when dice.Next(4) == 0:
                    await client.FlushAsync(CancellationToken.None);
                    break;
                case 2 or 3 or 4:
                    await client.ReadAsync(start + offset, part, CancellationToken.None);
                    Assert.True(part.Span.SequenceEqual(expected.Span), $"lane {lane}, step {step}: {length} bytes at {start + offset} are not what was written");
                    break;
                default:
                    dice.NextBytes(part.Span);
                    await client.WriteAsync(start + offset, part, fua: dice.Next(16) == 0, CancellationToken.None);
                    part.CopyTo(expected);
                    break;
            }
        }
    }
}
