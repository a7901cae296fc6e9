namespace DiskSync.TestSupport.PowerCuts;

/// <summary>The bytes of a small file.</summary>
internal sealed class GrowingBytes
{
    private byte[] _bytes = [];

    public int Length { get; private set; }

    public GrowingBytes Copy() => new() { _bytes = _bytes.AsSpan(0, Length).ToArray(), Length = Length };

    public int Read(long offset, Span<byte> buffer)
    {
        int count = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        _bytes.AsSpan((int)Math.Min(offset, Length), count).CopyTo(buffer);
        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty)
        {
            SetLength(Math.Max(Length, (int)offset + data.Length));
            data.CopyTo(_bytes.AsSpan((int)offset));
        }
    }

    public void SetLength(int length)
    {
        if (length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(length, _bytes.Length * 2));
        }

        if (length < Length)
        {
            Array.Clear(_bytes, length, Length - length);
        }

        Length = length;
    }
}
