using System.Buffers;
using System.IO.Pipelines;
using DiskSync.Engine.Transports;

namespace DiskSync.Engine.Tests.Transports;

public sealed class ContiguousPipeReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Messages_of_any_size_arrive_whole_and_in_one_piece_whatever_the_reads_brought(int seed)
    {
        Random random = new(seed);
        byte[] content = new byte[40 << 20];
        random.NextBytes(content);
        Pipe pipe = new(new PipeOptions(pauseWriterThreshold: 1 << 20));
        Task writing = Task.Run(async () =>
        {
            Random pieces = new(seed);
            for (int at = 0; at < content.Length;)
            {
                int length = Math.Min(content.Length - at, pieces.Next(1, 400_000));
                await pipe.Writer.WriteAsync(content.AsMemory(at, length));
                at += length;
            }

            await pipe.Writer.CompleteAsync();
        });

        ContiguousPipeReader reader = new(pipe.Reader.AsStream());
        int consumed = 0;
        while (consumed < content.Length)
        {
            int wanted = Math.Min(content.Length - consumed, random.Next(4) == 0 ? random.Next(1, 3 << 20) : random.Next(1, 100_000));
            ReadResult result = random.Next(2) == 0 ? await reader.ReadAsync() : await reader.ReadAtLeastAsync(wanted);
            while (result.Buffer.Length < wanted)
            {
                Assert.False(result.IsCompleted);
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                result = await reader.ReadAtLeastAsync(random.Next(1, wanted + 1));
            }

            Assert.True(result.Buffer.IsSingleSegment);
            ReadOnlySequence<byte> message = result.Buffer.Slice(0, wanted);
            Assert.True(message.FirstSpan.SequenceEqual(content.AsSpan(consumed, wanted)), $"at {consumed}");
            consumed += wanted;
            reader.AdvanceTo(message.End);
        }

        ReadResult end = await reader.ReadAsync();
        Assert.True(end.IsCompleted);
        Assert.True(end.Buffer.IsEmpty);
        await writing;
    }

    [Fact]
    public async Task What_was_looked_at_is_handed_out_again_only_with_more()
    {
        Pipe pipe = new();
        ContiguousPipeReader reader = new(pipe.Reader.AsStream());
        await pipe.Writer.WriteAsync(new byte[] { 1, 2, 3 });
        ReadResult result = await reader.ReadAsync();
        reader.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.End);
        Assert.False(reader.TryRead(out _));
        ValueTask<ReadResult> reading = reader.ReadAsync();
        Assert.False(reading.IsCompleted);
        await pipe.Writer.WriteAsync(new byte[] { 4 });
        result = await reading;
        Assert.Equal([2, 3, 4], result.Buffer.ToArray());
        reader.AdvanceTo(result.Buffer.Start);
        Assert.True(reader.TryRead(out result));
        Assert.Equal([2, 3, 4], result.Buffer.ToArray());
    }

    [Fact]
    public async Task A_pending_read_ends_when_it_is_cancelled_and_loses_nothing()
    {
        Pipe pipe = new();
        ContiguousPipeReader reader = new(pipe.Reader.AsStream());
        await pipe.Writer.WriteAsync(new byte[] { 1 });
        ReadResult result = await reader.ReadAsync();
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        ValueTask<ReadResult> reading = reader.ReadAsync();
        reader.CancelPendingRead();
        result = await reading;
        Assert.True(result.IsCanceled);
        Assert.False(result.IsCompleted);
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);

        reader.CancelPendingRead();
        result = await reader.ReadAsync();
        Assert.True(result.IsCanceled);
        reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);

        await pipe.Writer.WriteAsync(new byte[] { 2 });
        result = await reader.ReadAsync();
        Assert.False(result.IsCanceled);
        Assert.Equal([1, 2], result.Buffer.ToArray());
    }

    [Fact]
    public async Task Waiting_for_more_than_the_stream_has_ends_with_what_it_has()
    {
        ContiguousPipeReader reader = new(new MemoryStream([1, 2, 3]));
        ReadResult result = await reader.ReadAtLeastAsync(10);
        Assert.True(result.IsCompleted);
        Assert.Equal([1, 2, 3], result.Buffer.ToArray());
    }

    [Fact]
    public async Task A_token_cancels_as_tokens_do()
    {
        ContiguousPipeReader reader = new(new Pipe().Reader.AsStream());
        using CancellationTokenSource stop = new();
        ValueTask<ReadResult> reading = reader.ReadAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
    }

    [Fact]
    public async Task A_broken_stream_says_so()
    {
        Pipe pipe = new();
        await pipe.Writer.CompleteAsync(new IOException("the cable is cut"));
        ContiguousPipeReader reader = new(pipe.Reader.AsStream());
        IOException failure = await Assert.ThrowsAsync<IOException>(async () => await reader.ReadAsync());
        Assert.Equal("the cable is cut", failure.Message);
    }
}
