using System.Collections.Concurrent;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>What the user is shown while a copy runs.</summary>
public sealed class ProgressTests
{
    [Fact]
    public async Task What_waits_for_a_slow_link_is_not_called_done()
    {
        using SessionLab lab = new();
        const int Length = 4 << 20;
        const int Batches = 4 * (64 << 10);
        lab.Options = lab.Options with { MaxBatches = 64, Limiter = new RateLimiter(4 << 20), Compression = CompressionMode.Never };
        Recorder seen = new();
        await lab.PushAsync(lab.Source("a.img", SampleImage.Noise(1, Length)), progress: seen);
        CopyProgress[] copying = [.. seen.Snapshots.Where(s => s.Phase == CopyPhase.BulkCopy)];
        Assert.Contains(copying, s => s.SentBytes is > 0 and < Length / 2);

        // All of it is filled into batches at once; a batch or two may be between two counts.
        Assert.All(copying, s => Assert.True(s.BytesDone <= s.SentBytes + Batches, $"{s.BytesDone} done, {s.SentBytes} sent"));
        Assert.All(copying, s => Assert.True(s.RawBytes <= s.SentBytes, $"{s.RawBytes} bytes that do not compress, {s.SentBytes} sent"));
    }

    private sealed class Recorder : IProgressSink
    {
        public ConcurrentQueue<CopyProgress> Snapshots { get; } = new();

        public void Report(CopyProgress progress) => Snapshots.Enqueue(progress);
    }
}
