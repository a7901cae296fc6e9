using DiskSync.Engine.Tail;
using DiskSync.Formats.Presence;

namespace DiskSync.Engine.Tests.Tail;

/// <summary>What is fetched when nobody waits for it, and how fast.</summary>
public sealed class TailPullerTests
{
    private const int Unit = TailLab.Unit;

    [Fact]
    public async Task It_goes_on_behind_what_the_guest_touched()
    {
        using TailLab lab = new(256 * Unit, []);
        lab.Source.Hold();
        using TailPuller puller = new(lab.Device, lab.Map, lab.Source, TimeProvider.System);
        _ = puller.MissingBytes;
        Task<byte> reader = Task.Factory.StartNew(() => lab.Read(100L * Unit, 1)[0], CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await TailLab.UntilAsync(() => lab.Source.Requests.Count == 1);
        Task pull = puller.RunAsync(CancellationToken.None);
        await TailLab.UntilAsync(() => lab.Source.Requests.Count == 2);
        lab.Source.Release();
        Assert.Equal(lab.Content[100 * Unit], await reader);
        await pull.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((101L * Unit, Unit, false), lab.Source.Requests[1]);
        Assert.Equal(lab.Content, lab.Read(0, lab.Content.Length));
        Assert.Equal(256, lab.Source.Requests.Sum(r => r.Length / Unit));
    }

    [Fact]
    public async Task What_the_source_cannot_read_is_left_and_the_rest_is_fetched()
    {
        using TailLab lab = new(64 * Unit, []);
        lab.Source.Bad = (20 * Unit, 1);
        using TailPuller puller = new(lab.Device, lab.Map, lab.Source, TimeProvider.System);
        using CancellationTokenSource ended = new();
        Task pull = puller.RunAsync(ended.Token);
        await TailLab.UntilAsync(() => puller.MissingBytes == Unit);
        await Task.Delay(100);
        int requests = lab.Source.Requests.Count;
        await Task.Delay(300);
        Assert.InRange(lab.Source.Requests.Count, requests, requests + 2);
        await ended.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        Assert.False(lab.Device.IsWhole);
    }

    [Fact]
    public async Task A_link_that_comes_and_goes_only_delays_it()
    {
        using TailLab lab = new(64 * Unit, [new PresenceRange(3, 9)]);
        lab.Source.LoseLink();
        using TailPuller puller = new(lab.Device, lab.Map, lab.Source, TimeProvider.System);
        Task pull = puller.RunAsync(CancellationToken.None);
        await TailLab.UntilAsync(() => lab.Source.Requests.Count > 0);
        lab.Source.RestoreLink();
        await pull.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(lab.Content, lab.Read(0, lab.Content.Length));
    }

    [Theory]
    [InlineData(12.5e6, 0.010)]
    [InlineData(12.5e6, 0.080)]
    [InlineData(125e6, 0.020)]
    [InlineData(125e6, 0.100)]
    [InlineData(2.5e6, 0.150)]
    public void The_window_fills_the_link_and_leaves_its_queue_nearly_empty(double rate, double roundTrip)
    {
        // A link with one queue, in virtual time: each answer is sent when all before it have been.
        const int Request = 64 << 10;
        VirtualTime clock = new();
        PullWindow window = new(clock);
        Queue<(double Sent, double Arrives, int UnderWay)> answers = new();
        double now = 0;
        double linkFree = 0;
        double bytes = 0;
        double worst = 0;
        while (now < 60)
        {
            while (answers.Count < window.Size)
            {
                double reaches = now + (roundTrip / 2);
                double begins = Math.Max(linkFree, reaches);
                linkFree = begins + (Request / rate);
                answers.Enqueue((now, linkFree + (roundTrip / 2), answers.Count + 1));
                if (now > 10)
                {
                    worst = Math.Max(worst, begins - reaches);
                }
            }

            (double sent, double arrives, int underWay) = answers.Dequeue();
            now = arrives;
            clock.Advance(TimeSpan.FromSeconds(now) - clock.Elapsed);
            window.Answered(arrives - sent, underWay);
            bytes += now > 10 ? Request : 0;
        }

        double used = bytes / (now - 10) / rate;
        Assert.True(used >= 0.9, $"{used:P0} of the link");

        // Where less than two requests fill the link, they are what there is to wait for.
        Assert.True(worst <= Math.Max(roundTrip, 2.1 * Request / rate), $"{worst * 1000:0.0} ms in the queue");
    }

    private sealed class VirtualTime : TimeProvider
    {
        public TimeSpan Elapsed { get; private set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Elapsed.Ticks;

        public void Advance(TimeSpan by) => Elapsed += by;
    }
}
