using DiskSync.Engine.Blocks;
using DiskSync.Engine.Tail;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>The way of an on-demand tail between two hosts, whose three processes and link come and go.</summary>
public sealed class TailPairTests
{
    private const int Length = (12 << 20) + 1000;

    [Fact]
    public async Task An_image_becomes_whole_and_the_source_hears_of_it_by_the_journal()
    {
        using TailPair pair = new(Length, new Formats.Presence.PresenceRange(0, 300)) { Busy = 2 };
        pair.StartReceiver();
        pair.StartExport();
        pair.StartSource();
        Assert.Equal(pair.Expected(Length - 5000, 5000), pair.Read(Length - 5000, 5000));
        AttemptStatus status = await pair.Source.WaitAsync(TailPair.Patience);
        Assert.Equal(AttemptState.Running, status.State);
        Assert.True(pair.IsRecorded);
        Assert.True(pair.Export.IsWhole);
        Assert.Equal(pair.Content, pair.ReadImage());
        Assert.Equal(0UL, pair.Export.State().Missing);
        Assert.Contains("is whole", pair.Told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_of_the_three_may_end_and_begin_again_in_any_order()
    {
        using TailPair pair = new(Length);
        pair.Link.Rate = 4 << 20;
        pair.StartSource();
        await Task.Delay(100);
        pair.StartExport();
        Task<byte[]> waits = Task.Run(() => pair.Read(6 << 20, 9000));
        await Task.Delay(100);
        Assert.False(waits.IsCompleted);
        pair.StartReceiver();
        Assert.Equal(pair.Expected(6 << 20, 9000), await waits.WaitAsync(TailPair.Patience));

        pair.StopReceiver();
        waits = Task.Run(() => pair.Read(9 << 20, 9000));
        await Task.Delay(100);
        pair.StartReceiver();
        Assert.Equal(pair.Expected(9 << 20, 9000), await waits.WaitAsync(TailPair.Patience));

        await pair.StopSourceAsync();
        byte[] mine = Enumerable.Repeat((byte)3, 5000).ToArray();
        Task writes = Task.Run(() => pair.Export.Device.Write((11 << 20) + 100, mine));
        await Task.Delay(100);
        pair.StartSource();
        await writes.WaitAsync(TailPair.Patience);

        pair.StopExport();
        await Task.Delay(100);
        pair.StartExport();
        await pair.Source.WaitAsync(TailPair.Patience);
        mine.CopyTo(pair.Content, (11 << 20) + 100);
        Assert.Equal(pair.Content, pair.ReadImage());
        Assert.Equal(5000UL, pair.Export.State().Written);
    }

    [Fact]
    public async Task A_link_that_is_cut_again_and_again_costs_time_and_nothing_else()
    {
        using TailPair pair = new(Length);
        pair.Link.Rate = 8 << 20;
        pair.StartReceiver();
        pair.StartExport();
        pair.StartSource();
        Random random = new(5);
        byte[] expected = [.. pair.Content];
        using CancellationTokenSource done = new();
        Task cuts = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await Task.Delay(150);
                if (pair.Link.Passed % 3 == 0)
                {
                    pair.Link.Cut();
                    await Task.Delay(50);
                }
                else
                {
                    pair.Link.Stall();
                    await Task.Delay(50);
                    pair.Link.Reset();
                }

                pair.Link.Mend();
            }
        });
        for (int i = 0; !pair.Source.IsCompleted; i++)
        {
            int at = random.Next(Length - 20_000);
            byte[] mine = new byte[random.Next(1, 20_000)];
            random.NextBytes(mine);
            pair.Export.Device.Write(at, mine);
            mine.CopyTo(expected, at);
            int from = random.Next(Length - 50_000);
            Assert.Equal(expected.AsSpan(from, 50_000).ToArray(), pair.Read(from, 50_000));
            Assert.True(i < 100_000);
            await Task.Delay(5);
        }

        await done.CancelAsync();
        await cuts;
        Assert.Equal(expected, pair.ReadImage());
    }

    [Fact]
    public async Task What_is_fetched_is_compared_with_the_map_that_the_source_makes_meanwhile()
    {
        using TailPair pair = new(Length) { OffersHashes = true };
        pair.Link.Rate = 2 << 20;
        pair.StartReceiver();
        pair.StartExport();
        pair.StartSource();
        await TailLab.UntilAsync(() => pair.Export.IsCompared);
        Assert.True(pair.Export.State().Missing > 0);
        pair.Link.Rate = 0;
        await pair.Source.WaitAsync(TailPair.Patience);
        Assert.Equal(pair.Content, pair.ReadImage());
        Assert.Empty(pair.Export.State().Trouble);
    }

    [Fact]
    public async Task What_was_fetched_before_the_map_came_is_compared_when_it_comes_and_what_comes_after_is_refused()
    {
        using TempFolder folder = new();
        byte[] other = SampleImage.Noise(7, Length);
        other[70_000] ^= 1;
        other[(8 << 20) + 5] ^= 1;
        using IBlockDevice otherImage = BlockDevices.OpenSource(folder.Write("other", other));
        TaskCompletionSource mayHash = new();
        using TailPair pair = new(Length) { OffersHashes = true, MapOf = otherImage, MayHash = mayHash.Task };
        pair.Link.Rate = 1 << 20;
        pair.StartExport();
        pair.StartReceiver();
        Task<byte[]> first = Task.Run(() => pair.Read(70_000, 1));
        pair.StartSource();
        await first.WaitAsync(TailPair.Patience);
        mayHash.SetResult();
        await TailLab.UntilAsync(() => pair.Export.IsCompared);
        await TailLab.UntilAsync(() => pair.Told.Length > 0);
        Assert.Contains("first at offset 65536", pair.Told, StringComparison.Ordinal);
        ImageIOException failure = await Assert.ThrowsAsync<ImageIOException>(() => Task.Run(() => pair.Read(8 << 20, 10)).WaitAsync(TailPair.Patience));
        Assert.Contains("something else", failure.Message, StringComparison.Ordinal);
        Assert.Equal(pair.Expected(9 << 20, 10), pair.Read(9 << 20, 10));
    }

    [Fact]
    public async Task What_is_missing_fails_at_once_where_it_is_to_fail_and_waits_again_where_not()
    {
        using TailPair pair = new(Length);
        pair.StartExport();
        Task<byte[]> waits = Task.Run(() => pair.Read(5 << 20, 5000));
        await Task.Delay(100);
        Assert.False(waits.IsCompleted);
        pair.Export.FailMissing = true;
        ImageIOException failure = await Assert.ThrowsAsync<ImageIOException>(() => waits.WaitAsync(TailPair.Patience));
        Assert.Contains("still at the source", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ImageIOException>(() => pair.Read(0, 10));
        pair.Export.FailMissing = false;
        waits = Task.Run(() => pair.Read(5 << 20, 5000));
        await Task.Delay(100);
        Assert.False(waits.IsCompleted);
        pair.StartReceiver();
        pair.StartSource();
        Assert.Equal(pair.Expected(5 << 20, 5000), await waits.WaitAsync(TailPair.Patience));
        Assert.True(pair.Export.State().IsLinked || pair.Export.IsWhole);
    }

    [Fact]
    public async Task A_link_that_falls_silent_is_given_up_and_made_anew()
    {
        using TailPair pair = new(Length);
        pair.Link.Rate = 1 << 20;
        pair.StartReceiver();
        pair.StartExport(new TailedImageOptions { ReplyLimit = TimeSpan.FromMilliseconds(500), CompleteAgain = TimeSpan.FromMilliseconds(20) });
        pair.StartSource();
        await TailLab.UntilAsync(() => pair.Export.State().IsLinked);
        pair.Link.Stall();
        Task<byte[]> waits = Task.Run(() => pair.Read(10 << 20, 5000));
        await TailLab.UntilAsync(() => !pair.Export.State().IsLinked);
        Assert.False(waits.IsCompleted);
        pair.Link.Rate = 0;
        pair.Link.Mend();
        Assert.Equal(pair.Expected(10 << 20, 5000), await waits.WaitAsync(TailPair.Patience));
        await pair.Source.WaitAsync(TailPair.Patience);
        Assert.Equal(pair.Content, pair.ReadImage());
    }

    [Fact]
    public async Task Who_waits_for_the_link_is_let_go_when_the_export_ends()
    {
        using TailPair pair = new(Length);
        pair.StartExport();
        Task<byte[]> waits = Task.Run(() => pair.Read(5 << 20, 5000));
        await Task.Delay(100);
        pair.Export.EndWaiting();
        await Assert.ThrowsAsync<ImageIOException>(() => waits.WaitAsync(TailPair.Patience));
    }

    [Fact]
    public async Task A_source_of_another_hand_over_is_not_listened_to()
    {
        using TailPair pair = new(Length);
        pair.StartReceiver();
        pair.StartExport();
        pair.StartSource(Guid.NewGuid());
        await TailLab.UntilAsync(() => pair.Told.Contains("is known", StringComparison.Ordinal));
        Assert.False(pair.Source.IsCompleted);
        Assert.False(pair.Export.State().IsLinked);
    }

    [Fact]
    public async Task A_source_whose_image_has_no_export_hears_what_to_start()
    {
        using TailPair pair = new(Length);
        pair.StartReceiver(TimeSpan.FromMilliseconds(100));
        pair.StartSource();
        await TailLab.UntilAsync(() => pair.Told.Contains("no export serves it", StringComparison.Ordinal));
        pair.StartExport();
        await pair.Source.WaitAsync(TailPair.Patience);
        Assert.Contains("connected again", pair.Told, StringComparison.Ordinal);
    }
}
