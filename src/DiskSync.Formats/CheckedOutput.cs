using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats;

/// <summary>Writes a file that ends with the BLAKE3 of everything before.</summary>
/// <remarks>Buffers 64 KiB; larger pieces go straight through. The stream stays open and belongs to the caller.</remarks>
internal sealed class CheckedOutput(Stream stream)
{
    private readonly byte[] _buffer = new byte[64 << 10];
    private readonly Blake3Hasher _hasher = new();
    private int _used;

    /// <summary>How many bytes were written.</summary>
    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (bytes.Length > _buffer.Length - _used)
        {
            Flush();
        }

        if (bytes.Length > _buffer.Length)
        {
            _hasher.Update(bytes);
            stream.Write(bytes);
            return;
        }

        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }

    public void Write(byte value) => Write([value]);

    public void Write(ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        Write(bytes);
    }

    public void Write(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Write(bytes);
    }

    public void Write(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        Write(bytes);
    }

    public void Write(in Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        hash.CopyTo(bytes);
        Write(bytes);
    }

    /// <summary>Writes the hash of everything before and hands all to the stream.</summary>
    public void WriteTrailer()
    {
        Flush();
        Span<byte> trailer = stackalloc byte[Hash256.Size];
        _hasher.Finalize().CopyTo(trailer);
        stream.Write(trailer);
        stream.Flush();
        Length += trailer.Length;
    }

    private void Flush()
    {
        _hasher.Update(_buffer.AsSpan(0, _used));
        stream.Write(_buffer, 0, _used);
        _used = 0;
    }
}
