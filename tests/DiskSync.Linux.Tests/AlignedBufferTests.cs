namespace DiskSync.Linux.Tests;

public sealed class AlignedBufferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(100_001)]
    public unsafe void A_buffer_is_aligned_zeroed_and_as_long_as_asked(int length)
    {
        using var buffer = new AlignedBuffer(length);
        Assert.Equal(length, buffer.Length);
        Assert.Equal(length, buffer.Memory.Length);
        Assert.Equal(-1, buffer.Span.IndexOfAnyExcept((byte)0));
        fixed (byte* start = buffer.Span)
        {
            Assert.Equal(0, (nint)start % AlignedBuffer.Alignment);
        }

        buffer.Span.Fill(9);
        Assert.Equal(9, buffer.Memory.Span[length - 1]);
        using System.Buffers.MemoryHandle pin = buffer.Pin(length - 1);
        Assert.Equal(9, *(byte*)pin.Pointer);
    }

    [Fact]
    public void A_disposed_buffer_refuses_to_be_used()
    {
        var buffer = new AlignedBuffer(10);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.GetSpan().Clear());
        Assert.Throws<ObjectDisposedException>(() => buffer.Pin());
    }
}
