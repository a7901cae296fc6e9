using DiskSync.Engine.Blocks;
using DiskSync.Engine.Tail;
using DiskSync.Formats.Presence;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>What a guest sees of an image whose tail is still at its source.</summary>
public sealed class TailDeviceTests
{
    private const int Unit = TailLab.Unit;
    private const int Part = TailLab.Part;

    [Fact]
    public async Task Many_readers_of_one_missing_unit_are_one_fetch()
    {
        using TailLab lab = new(8 * Unit, []);
        lab.Source.Hold();
        Task<byte[]>[] readers = [.. Enumerable.Range(0, 12).Select(i => OnThread(() => lab.Read((3 * Unit) + (i * Part), Part)))];
        await TailLab.UntilAsync(() => lab.Source.Requests.Count > 0);
        await Task.Delay(50);
        lab.Source.Release();
        for (int i = 0; i < readers.Length; i++)
        {
            Assert.Equal(lab.Expected((3 * Unit) + (i * Part), Part), await readers[i]);
        }

        Assert.Equal([(3L * Unit, Unit, true)], lab.Source.Requests);
    }

    [Fact]
    public async Task A_write_that_overtakes_a_fetch_stays_and_does_not_wait_for_it()
    {
        using TailLab lab = new(8 * Unit, []);
        lab.Source.Hold();
        Task<byte[]> reader = OnThread(() => lab.Read(0, Unit));
        await TailLab.UntilAsync(() => lab.Source.Requests.Count > 0);
        byte[] written = [.. Enumerable.Repeat((byte)5, 2 * Part)];
        lab.Device.Write(4 * Part, written);
        lab.Device.Zero(8 * Part, Part, punch: true);
        Assert.Equal(written, lab.Read(4 * Part, 2 * Part));
        lab.Source.Release();
        byte[] expected = lab.Expected(0, Unit);
        written.CopyTo(expected, 4 * Part);
        expected.AsSpan(8 * Part, Part).Clear();
        Assert.Equal(expected, await reader);
    }

    [Fact]
    public void Whole_parts_are_written_without_a_fetch_and_a_piece_of_one_with()
    {
        using TailLab lab = new((8 * Unit) + 1000, []);
        lab.Device.Write(Unit, new byte[Unit]);
        lab.Device.Zero(2 * Unit, 2 * Unit, punch: false);
        Assert.True(lab.Device.TryZeroFast(4 * Unit, Unit, punch: true));
        lab.Device.Discard((5 * Unit) + 100, Unit - 200);
        lab.Device.Write(8 * Unit, new byte[1000]);
        Assert.Empty(lab.Source.Requests);
        Assert.False(lab.Device.TryZeroFast(100, Part, punch: true));
        lab.Device.Write(Part + 100, [1, 2, 3]);
        Assert.Equal([(0L, Unit, true)], lab.Source.Requests);
        byte[] expected = lab.Expected(0, Unit);
        expected[Part + 100] = 1;
        expected[Part + 101] = 2;
        expected[Part + 102] = 3;
        Assert.Equal(expected, lab.Read(0, Unit));

        // The edges of what was discarded were not whole parts.
        Assert.Equal(lab.Expected(5 * Unit, Part), lab.Read(5 * Unit, Part));
        Assert.Equal(new byte[Part], lab.Read((5 * Unit) + Part, Part));
        Assert.Equal(new byte[1000], lab.Read(8 * Unit, 1000));
    }

    [Fact]
    public void What_the_source_cannot_read_fails_for_itself_and_may_be_written()
    {
        using TailLab lab = new(8 * Unit, []);
        lab.Source.Bad = ((2 * Unit) + 512, 512);
        ImageIOException failure = Assert.Throws<ImageIOException>(() => lab.Read(0, 4 * Unit));
        Assert.Contains("bad sector", failure.Message, StringComparison.Ordinal);
        Assert.Equal(lab.Expected(0, 2 * Unit), lab.Read(0, 2 * Unit));
        Assert.Equal(lab.Expected(3 * Unit, Unit), lab.Read(3 * Unit, Unit));
        Assert.Throws<ImageIOException>(() => lab.Read(2 * Unit, Part));
        lab.Device.Write(2 * Unit, new byte[Unit]);
        Assert.Equal(new byte[Unit], lab.Read(2 * Unit, Unit));
    }

    [Fact]
    public async Task Without_a_link_what_is_missing_waits_and_what_is_there_does_not()
    {
        using TailLab lab = new(8 * Unit, [new PresenceRange(0, Unit / Part)]);
        lab.Source.LoseLink();
        Task<byte[]> reader = OnThread(() => lab.Read(Unit, Unit));
        await TailLab.UntilAsync(() => lab.Source.Requests.Count > 0);
        Assert.Equal(lab.Expected(0, Unit), lab.Read(0, Unit));
        lab.Device.Write(3 * Unit, new byte[Unit]);
        lab.Device.Flush();
        Assert.False(reader.IsCompleted);
        lab.Source.RestoreLink();
        Assert.Equal(lab.Expected(Unit, Unit), await reader);
    }

    [Fact]
    public async Task Who_waits_for_the_link_is_let_go_at_the_end()
    {
        using TailLab lab = new(2 * Unit, []);
        lab.Source.LoseLink();
        Task<byte[]> reader = OnThread(() => lab.Read(0, Part));
        await TailLab.UntilAsync(() => lab.Source.Requests.Count > 0);
        lab.Device.Stop();
        await Assert.ThrowsAsync<ImageIOException>(() => reader);
    }

    [Fact]
    public void With_fail_missing_only_what_is_missing_fails()
    {
        using TailLab lab = new(8 * Unit, [new PresenceRange(0, 4)], new TailOptions { FailMissing = true });
        lab.Source.LoseLink();
        Assert.Throws<ImageIOException>(() => lab.Read(Unit, Part));
        Assert.Equal(lab.Expected(0, 4 * Part), lab.Read(0, 4 * Part));
        lab.Source.RestoreLink();
        Assert.Equal(lab.Expected(0, Unit), lab.Read(0, Unit));
    }

    [Fact]
    public void What_is_not_what_the_source_held_is_never_served()
    {
        using TailLab lab = new(4 * Unit, [], checks: true);
        lab.Source.Lies = true;
        ImageIOException failure = Assert.Throws<ImageIOException>(() => lab.Read(Unit, Part));
        Assert.Contains("something else", failure.Message, StringComparison.Ordinal);
        lab.Source.Lies = false;
        Assert.Equal(lab.Expected(Unit, Unit), lab.Read(Unit, Unit));
    }

    [Fact]
    public void What_is_missing_is_data_to_those_who_look_for_holes()
    {
        using TailLab lab = new(8 * Unit, []);
        lab.Device.Zero(2 * Unit, Unit, punch: true);
        Extent[] extents = [.. lab.Device.Extents(Unit, 3 * Unit)];
        Assert.Equal(
            [new Extent(Unit, Unit, ExtentKind.Data), new Extent(2 * Unit, Unit, ExtentKind.Hole), new Extent(3 * Unit, Unit, ExtentKind.Data)], extents);
        byte[] buffer = new byte[Part];
        Assert.False(lab.Device.TryReadNow(0, buffer));
    }

    [Fact]
    public void Once_nothing_is_missing_and_that_is_durable_the_source_is_not_needed()
    {
        using TailLab lab = new((4 * Unit) + 5, []);
        Assert.Equal(lab.Content, lab.Read(0, lab.Content.Length));
        Assert.False(lab.Device.IsWhole);
        lab.Device.Flush();
        Assert.True(lab.Device.IsWhole);
        lab.Reopen();
        lab.Source.LoseLink();
        Assert.True(lab.Device.IsWhole);
        Assert.Equal(lab.Content, lab.Read(0, lab.Content.Length));
    }

    [Fact]
    public void A_killed_export_knows_what_was_written_though_nothing_was_flushed()
    {
        using TailLab lab = new(4 * Unit, []);
        lab.Device.Write(Unit, new byte[Part]);
        _ = lab.Read(2 * Unit, Part);
        lab.Reopen();
        Assert.Equal(new byte[Part], lab.Read(Unit, Part));
        _ = lab.Read(2 * Unit, Part);
        Assert.Single(lab.Source.Requests);
    }

    [Fact]
    public void A_map_that_is_lost_or_damaged_anywhere_is_not_served()
    {
        using TailLab lab = new(4 * Unit, [new PresenceRange(1, 2)]);
        lab.Device.Write(Unit, new byte[Part]);
        lab.Device.Flush();
        lab.Device.Write(3 * Unit, new byte[Part]);
        lab.Device.Flush();
        lab.Map.Settle();
        SimulatedCopy copy = new(lab.MapFile);
        foreach (int at in (int[])[0, 9, 16, 30, 60, 100, 130, copy.Length - 1, copy.Length - 20, copy.Length - 40, 12288, 12300])
        {
            copy.Flip(at);
            DiskSyncException refused = Assert.Throws<DiskSyncException>(lab.Reopen);
            Assert.Contains("nobody knows", refused.Message, StringComparison.Ordinal);
            copy.Restore();
        }

        lab.Reopen();
        lab.RemoveMap();
        Assert.Contains("not there", Assert.Throws<DiskSyncException>(lab.Reopen).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guests_and_the_background_at_once_lose_and_mix_up_nothing()
    {
        const int Threads = 4;
        const int Units = 96;
        using TailLab lab = new((Units * Unit) - 777, [new PresenceRange(100, 300)], checks: false);
        byte[] expected = (byte[])lab.Content.Clone();
        using CancellationTokenSource ended = new();
        using TailPuller puller = new(lab.Device, lab.Map, lab.Source, TimeProvider.System);
        Task pull = puller.RunAsync(ended.Token);
        Task[] guests = [.. Enumerable.Range(0, Threads).Select(t => OnThread(() =>
        {
            // Each in stretches of its own, which share units with those of the others.
            Random dice = new(t);
            byte[] buffer = new byte[3 * Part];
            for (int i = 0; i < 400; i++)
            {
                int slot = (dice.Next(expected.Length / (5 * Part) / Threads) * Threads) + t;
                int offset = (slot * 5 * Part) + dice.Next(2 * Part);
                int length = Math.Min(dice.Next(1, buffer.Length), expected.Length - offset);
                if (dice.Next(3) == 0)
                {
                    dice.NextBytes(buffer.AsSpan(0, length));
                    lab.Device.Write(offset, buffer.AsSpan(0, length));
                    buffer.AsSpan(0, length).CopyTo(expected.AsSpan(offset));
                }
                else
                {
                    lab.Device.Read(offset, buffer.AsSpan(0, length));
                    Assert.True(buffer.AsSpan(0, length).SequenceEqual(expected.AsSpan(offset, length)), $"{length} at {offset}");
                }

                if (i % 50 == 0)
                {
                    lab.Device.Flush();
                }
            }

            return true;
        }))];
        await Task.WhenAll(guests);
        await pull.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.True(lab.Device.IsWhole);
        Assert.Equal(expected, lab.Read(0, expected.Length));
        Assert.Equal(0, puller.MissingBytes);
    }

    private static Task<T> OnThread<T>(Func<T> action) => Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
