using System.Collections.Concurrent;
using DiskSync.Engine.Dirty;

namespace DiskSync.Engine.Tests.Dirty;

/// <summary>Safety rules 2 and 3: writers race with senders over an image in memory, and no write is ever lost.</summary>
public class LostWriteTests
{
    private const int Blocks = 300;
    private const int BlockSize = 64;
    private const int WritesPerWriter = 15_000;

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task No_write_is_lost_and_no_block_is_in_flight_twice(int seed)
    {
        byte[] source = new byte[Blocks * BlockSize];
        byte[] destination = new byte[Blocks * BlockSize];
        new Random(seed).NextBytes(source);
        DirtyBitmap bitmap = new(Blocks);
        bitmap.MarkAll();
        int[] inFlight = new int[Blocks];
        using BlockingCollection<(BlockRun Run, byte[] Data)> wire = new(boundedCapacity: 16);
        int writersLeft = 3;

        Task[] writers = Enumerable.Range(0, 3).Select(number => Task.Run(() =>
        {
            Random random = new((seed * 100) + number);
            byte[] fresh = new byte[BlockSize];
            for (int i = 0; i < WritesPerWriter; i++)
            {
                int block = random.Next(Blocks);
                random.NextBytes(fresh);

                // Several writers may hit one block: like a guest's own race, any mixture is a right answer as long
                // as the destination ends with the same one. Rule 3: write first, then mark.
                fresh.CopyTo(source, block * BlockSize);
                bitmap.Mark(block, 1);
            }

            Interlocked.Decrement(ref writersLeft);
        })).ToArray();

        Task[] senders = Enumerable.Range(0, 2).Select(number => Task.Run(() =>
        {
            Random random = new((seed * 200) + number);
            long cursor = 0;
            while (Volatile.Read(ref writersLeft) > 0 || !bitmap.IsDrained)
            {
                if (!bitmap.TakeNext(ref cursor, random.Next(1, 9), out BlockRun run))
                {
                    cursor = 0;
                    Thread.Yield();
                    continue;
                }

                for (long block = run.First; block < run.End; block++)
                {
                    Assert.Equal(1, Interlocked.Increment(ref inFlight[block]));
                }

                wire.Add((run, source.AsSpan((int)run.First * BlockSize, (int)run.Count * BlockSize).ToArray()));
            }
        })).ToArray();

        Task receiver = Task.Run(() =>
        {
            Random random = new(seed * 300);
            foreach ((BlockRun run, byte[] data) in wire.GetConsumingEnumerable())
            {
                bool lost = random.Next(10) == 0;
                if (!lost)
                {
                    data.CopyTo(destination, run.First * BlockSize);
                }

                for (long block = run.First; block < run.End; block++)
                {
                    Assert.Equal(0, Interlocked.Decrement(ref inFlight[block]));
                }

                if (lost)
                {
                    bitmap.Fail(run);
                }
                else
                {
                    bitmap.Release(run);
                }
            }
        });

        await Task.WhenAll(writers);
        await Task.WhenAll(senders);
        wire.CompleteAdding();
        await receiver;
        Assert.True(bitmap.IsDrained);
        Assert.True(source.AsSpan().SequenceEqual(destination));
    }

    [Fact]
    public void Clearing_after_reading_would_lose_a_write()
    {
        // Why the order matters: the same steps with the bit cleared after the read end with the old content.
        DirtyBitmap bitmap = new(1);
        byte source = 1;
        bitmap.Mark(0, 1);
        byte read = source;
        source = 2;
        bitmap.Mark(0, 1);
        bitmap.Clear(0, 1);
        Assert.NotEqual(source, read);
        Assert.True(bitmap.IsDrained);
    }
}
