using System.Buffers;
using System.Runtime.InteropServices;

namespace DiskSync.Linux;

/// <summary>Page-aligned memory outside the managed heap, as O_DIRECT needs it.</summary>
/// <remarks>
/// Zeroed when made. Owned by its maker: after <see cref="IDisposable.Dispose"/> no span or memory taken from it may
/// be used, and nothing frees it but that call. The content has no lock of its own.
/// </remarks>
public sealed unsafe class AlignedBuffer : MemoryManager<byte>
{
    /// <summary>The alignment in bytes; no disk asks for more.</summary>
    public const int Alignment = 4096;

    private readonly int _length;
    private byte* _start;

    /// <summary>Allocates a buffer.</summary>
    /// <param name="length">Bytes, more than 0.</param>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    public AlignedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
        _length = length;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)length, Alignment);
        NativeMemory.Clear(_start, (nuint)length);
    }

    /// <summary>The length in bytes.</summary>
    public int Length => _length;

    /// <summary>The buffer as a span.</summary>
    public Span<byte> Span => GetSpan();

    /// <inheritdoc/>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return new Span<byte>(_start, _length);
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_length, nameof(elementIndex));
        return new MemoryHandle(_start + elementIndex);
    }

    /// <summary>Does nothing: this memory never moves.</summary>
    public override void Unpin()
    {
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose() => ((IDisposable)this).Dispose();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        byte* start = _start;
        _start = null;
        NativeMemory.AlignedFree(start);
    }
}
