using System.Diagnostics.CodeAnalysis;
using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>What the limit promises, on a clock that is late as real ones are: at most 105% in any second, at least 95% over all.</summary>
public sealed class PacedWriterTests
{
    [Theory]
    [InlineData(100_000, 1 << 16)]
    [InlineData(1_000_000, 1 << 20)]
    [InlineData(10_000_000, 1 << 20)]
    [InlineData(100_000_000, 1 << 20)]
    [InlineData(1_000_000_000, 1 << 20)]
    public async Task Any_second_has_at_most_its_limit_and_all_of_it_is_used(long limit, int frame)
    {
        LateTime time = new(seed: 1, latest: TimeSpan.FromMilliseconds(8));
        RateLimiter limiter = new(limit, time);
        List<(double At, long Bytes)> written = [];
        byte[] data = new byte[frame];
        while (time.Elapsed < TimeSpan.FromSeconds(6))
        {
            await PacedWriter.WriteAsync(limiter, data, Note, CancellationToken.None);
        }

        (long most, long least) = Seconds(written);
        Assert.True(most <= limit * 1.05, $"{most} bytes in a second");
        Assert.True(least >= limit * 0.95, $"{least} bytes in a second");
        Assert.Equal(written.Sum(w => w.Bytes), limiter.BytesPassed);

        ValueTask Note(ReadOnlyMemory<byte> piece)
        {
            written.Add((time.Elapsed.TotalSeconds, piece.Length));
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task After_a_stall_the_limit_holds_all_the_same()
    {
        const long Limit = 1_000_000;
        LateTime time = new(seed: 2, latest: TimeSpan.FromMilliseconds(2));
        RateLimiter limiter = new(Limit, time);
        List<(double At, long Bytes)> written = [];
        Random random = new(3);
        for (int i = 0; i < 40; i++)
        {
            await PacedWriter.WriteAsync(limiter, new byte[300_000], Note, CancellationToken.None);
        }

        (long most, _) = Seconds(written);
        Assert.True(most <= Limit * 1.05, $"{most} bytes in a second");

        ValueTask Note(ReadOnlyMemory<byte> piece)
        {
            if (random.Next(50) == 0)
            {
                // The peer did not take it for a while.
                time.Advance(TimeSpan.FromMilliseconds(random.Next(400)));
            }

            written.Add((time.Elapsed.TotalSeconds, piece.Length));
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task Connections_that_share_a_limit_keep_it_together()
    {
        const long Limit = 4_000_000;
        LateTime time = new(seed: 4, latest: TimeSpan.FromMilliseconds(1));
        RateLimiter limiter = new(Limit, time);
        List<(double At, long Bytes)> written = [];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 6; i++)
            {
                await PacedWriter.WriteAsync(limiter, new byte[1 << 20], Note, CancellationToken.None);
            }
        })));
        (long most, _) = Seconds([.. written.OrderBy(w => w.At)]);
        Assert.True(most <= Limit * 1.06, $"{most} bytes in a second");

        ValueTask Note(ReadOnlyMemory<byte> piece)
        {
            lock (written)
            {
                written.Add((time.Elapsed.TotalSeconds, piece.Length));
            }

            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task Without_a_limit_a_frame_goes_in_one_piece()
    {
        List<int> pieces = [];
        await PacedWriter.WriteAsync(new RateLimiter(), new byte[4 << 20], piece =>
        {
            pieces.Add(piece.Length);
            return ValueTask.CompletedTask;
        }, CancellationToken.None);
        Assert.Equal([4 << 20], pieces);
    }

    [Fact]
    [SuppressMessage("Reliability", "CA2025", Justification = "The task is awaited before the source is disposed.")]
    public async Task Who_stops_in_the_middle_of_a_frame_sends_its_rest_at_once_and_before_it_nothing()
    {
        using CancellationTokenSource stop = new();
        RateLimiter limiter = new(100_000, new LateTime(5, TimeSpan.Zero));
        List<int> pieces = [];
        await PacedWriter.WriteAsync(limiter, new byte[50_000], async piece =>
        {
            pieces.Add(piece.Length);
            await stop.CancelAsync();
        }, stop.Token);
        Assert.Equal([1024, 50_000 - 1024], pieces);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await PacedWriter.WriteAsync(
            limiter, new byte[50_000], _ => throw new InvalidOperationException("nothing should be written"), stop.Token));
    }

    // The largest and the smallest number of bytes in any second that lies within the writes.
    private static (long Most, long Least) Seconds(List<(double At, long Bytes)> written)
    {
        long most = 0;
        long least = long.MaxValue;
        long inside = 0;
        int first = 0;
        double end = written[^1].At;
        foreach ((double at, long bytes) in written)
        {
            inside += bytes;
            while (written[first].At <= at - 1)
            {
                inside -= written[first++].Bytes;
            }

            most = Math.Max(most, inside);
            if (at >= written[0].At + 1 && at <= end)
            {
                // Just before this write: the emptiest moment of a second that ends here.
                least = Math.Min(least, inside - bytes);
            }
        }

        return (most, least);
    }

    /// <summary>A clock that jumps to the moment when a timer is due, and somewhat past it.</summary>
    private sealed class LateTime(int seed, TimeSpan latest) : TimeProvider
    {
        private readonly Random _random = new(seed);
        private long _ticks;

        public TimeSpan Elapsed => TimeSpan.FromTicks(Interlocked.Read(ref _ticks));

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.Zero)
            {
                lock (_random)
                {
                    Advance(dueTime + (latest * _random.NextDouble()));
                }
            }

            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }
}
