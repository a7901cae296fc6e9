using System.Diagnostics;
using DiskSync.Engine.Tracking;

namespace DiskSync.Engine.Tests.Tracking;

/// <summary>The fence: nothing passes it, nothing is lost at it.</summary>
public sealed class WriteGateTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Writes_under_way_are_drained_and_new_ones_wait_until_it_opens()
    {
        using WriteGate gate = new();
        gate.Enter();
        Task<bool> fence = Task.Run(() => gate.Fence(Long));
        SpinWait.SpinUntil(() => gate.IsFenced);
        Assert.False(fence.IsCompleted);
        Task held = Task.Run(() =>
        {
            gate.Enter();
            gate.Leave();
        });
        SpinWait.SpinUntil(() => gate.Held == 1);
        gate.Leave();
        Assert.True(await fence);
        Assert.False(held.IsCompleted);
        gate.Release();
        await held;
        gate.Enter();
        gate.Leave();
    }

    [Fact]
    public async Task A_write_that_does_not_end_makes_the_fence_fail_and_everything_go_on()
    {
        using WriteGate gate = new();
        gate.Enter();
        Assert.False(await Task.Run(() => gate.Fence(TimeSpan.FromMilliseconds(50))));
        Assert.False(gate.IsFenced);
        gate.Enter();
        gate.Leave();
        gate.Leave();
        Assert.True(gate.Fence(Long));
    }

    [Fact]
    public async Task What_is_shut_fails_what_was_held_and_all_that_comes()
    {
        using WriteGate gate = new();
        Assert.True(gate.Fence(Long));
        Task held = Task.Run(gate.Enter);
        SpinWait.SpinUntil(() => gate.Held == 1);
        gate.ShutFor("handed over");
        Assert.Equal("handed over", (await Assert.ThrowsAsync<GateShutException>(() => held)).Message);
        gate.Release();
        Assert.Throws<GateShutException>(gate.Enter);
        Assert.True(gate.IsShut);
    }

    [Fact]
    public async Task No_write_is_inside_when_the_fence_has_returned()
    {
        using WriteGate gate = new();
        using CancellationTokenSource stop = new();
        int inside = 0;
        Task[] writers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                gate.Enter();
                Interlocked.Increment(ref inside);
                Thread.SpinWait(20);
                Interlocked.Decrement(ref inside);
                gate.Leave();
            }
        }))];
        for (int i = 0; i < 200; i++)
        {
            Assert.True(gate.Fence(Long));
            for (int look = 0; look < 50; look++)
            {
                Assert.Equal(0, Volatile.Read(ref inside));
            }

            gate.Release();
        }

        await stop.CancelAsync();
        await Task.WhenAll(writers);
    }

    [Fact]
    public void The_brake_keeps_writes_to_a_rate_and_none_longer_than_its_ceiling()
    {
        WriteBrake brake = new();
        brake.Wait(1 << 30);
        brake.Set(1 << 20, TimeSpan.FromSeconds(10));
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 8; i++)
        {
            brake.Wait(64 << 10);
        }

        // Half a MiB at 1 MiB/s, less the credit and the last one's own time; never sooner.
        Assert.True(Stopwatch.GetElapsedTime(start) > TimeSpan.FromMilliseconds(300));
        brake.Set(1000, TimeSpan.FromMilliseconds(20));
        brake.Wait(1 << 20);
        start = Stopwatch.GetTimestamp();
        brake.Wait(1 << 20);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.FromMilliseconds(15), TimeSpan.FromSeconds(5));
        brake.Set(double.PositiveInfinity, TimeSpan.Zero);
        Assert.Equal(double.PositiveInfinity, brake.Rate);
    }

    [Fact]
    public void A_percentile_is_that_of_what_was_added_between_two_looks()
    {
        LatencyHistogram latencies = new();
        latencies.Add(TimeSpan.FromSeconds(100));
        long[] before = latencies.Snapshot();
        for (int i = 0; i < 99; i++)
        {
            latencies.Add(TimeSpan.FromMilliseconds(1));
        }

        latencies.Add(TimeSpan.FromSeconds(1));
        long[] after = latencies.Snapshot();
        Assert.Equal(100, LatencyHistogram.Count(before, after));
        Assert.InRange(LatencyHistogram.Percentile(before, after, 0.99), TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1.3));
        Assert.InRange(LatencyHistogram.Percentile(before, after, 1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.3));
        Assert.Equal(TimeSpan.Zero, LatencyHistogram.Percentile(after, after, 0.99));
    }
}
