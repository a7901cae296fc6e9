using DiskSync.Engine.Replication;

namespace DiskSync.Engine.Tests.Replication;

public class RateLimiterTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Without_a_limit_nobody_waits()
    {
        RateLimiter limiter = new(0, _time);
        await limiter.WaitAsync(int.MaxValue, CancellationToken.None);
        Assert.Equal(TimeSpan.Zero, _time.Elapsed);
    }

    [Fact]
    public async Task A_hundred_batches_take_the_time_that_the_limit_asks_for()
    {
        RateLimiter limiter = new(10_000_000, _time);
        for (int i = 0; i < 100; i++)
        {
            await limiter.WaitAsync(1_000_000, CancellationToken.None);
        }

        Assert.InRange(_time.Elapsed.TotalSeconds, 9.8, 10.05);
    }

    [Fact]
    public async Task A_pause_saves_up_no_more_than_a_fiftieth_of_a_second()
    {
        RateLimiter limiter = new(1_000_000, _time);
        _time.Advance(TimeSpan.FromMinutes(10));
        await limiter.WaitAsync(20_000, CancellationToken.None);
        Assert.Equal(TimeSpan.FromMinutes(10), _time.Elapsed);
        await limiter.WaitAsync(1_000_000, CancellationToken.None);
        Assert.Equal(601, _time.Elapsed.TotalSeconds, 2);
    }

    [Fact]
    public async Task A_debt_of_an_old_limit_is_forgotten_with_it()
    {
        RateLimiter limiter = new(1000, _time);
        Task waiting = limiter.WaitAsync(1_000_000_000, CancellationToken.None).AsTask();
        limiter.BytesPerSecond = 0;
        await waiting.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(_time.Elapsed < TimeSpan.FromDays(11), "it waited the whole debt off");
    }

    [Fact]
    public async Task A_waiting_sender_can_be_stopped()
    {
        RateLimiter limiter = new(1, TimeProvider.System);
        using CancellationTokenSource stop = new();
        Task waiting = limiter.WaitAsync(1_000_000, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task The_lower_of_limit_and_ceiling_holds()
    {
        RateLimiter limiter = new(2_000_000, _time) { Ceiling = 1_000_000 };
        Assert.Equal(1_000_000, limiter.Rate);
        await limiter.WaitAsync(3_000_000, CancellationToken.None);
        Assert.InRange(_time.Elapsed.TotalSeconds, 2.9, 3.1);
        limiter.Ceiling = 5_000_000;
        Assert.Equal(2_000_000, limiter.Rate);
        limiter.BytesPerSecond = 0;
        Assert.Equal(5_000_000, limiter.Rate);
        limiter.Ceiling = 0;
        Assert.Equal(0, limiter.Rate);
        Assert.Equal(int.MaxValue, limiter.PieceBytes);
        Assert.Equal(1 << 20, limiter.BatchBytes(1 << 20));
    }

    [Fact]
    public async Task What_is_missing_is_earned_at_the_rate_of_the_time()
    {
        // It sleeps for a tenth of a second at most, then looks at the limit again.
        RateLimiter limiter = new(1_000_000, _time);
        await limiter.WaitAsync(1_000_000, CancellationToken.None);
        TimeSpan before = _time.Elapsed;
        ValueTask slow = limiter.WaitAsync(10_000_000, CancellationToken.None);
        limiter.BytesPerSecond = 100_000_000;
        await slow;
        Assert.True(_time.Elapsed - before < TimeSpan.FromSeconds(11), "it waited at the old rate");
    }
}
