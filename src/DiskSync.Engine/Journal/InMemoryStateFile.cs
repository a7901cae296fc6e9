namespace DiskSync.Engine.Journal;

/// <summary>A state file that nobody needs to keep: held in memory, in pieces that are made when first written.</summary>
/// <remarks>Memory grows with what is written, 64 KiB a piece. Not thread safe.</remarks>
public sealed class InMemoryStateFile : IStateFile
{
    private const int PieceSize = 64 << 10;

    private readonly Dictionary<long, byte[]> _pieces = [];

    /// <summary>Makes an empty file.</summary>
    /// <param name="name">For messages.</param>
    public InMemoryStateFile(string name = "memory") => Name = name;

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long Length { get; private set; }

    /// <summary>How many bytes of memory the content takes.</summary>
    public long AllocatedBytes => (long)_pieces.Count * PieceSize;

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> buffer)
    {
        int total = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        buffer = buffer[..total];
        while (!buffer.IsEmpty)
        {
            int start = (int)(offset % PieceSize);
            Span<byte> part = buffer[..Math.Min(buffer.Length, PieceSize - start)];
            if (_pieces.TryGetValue(offset / PieceSize, out byte[]? piece))
            {
                piece.AsSpan(start, part.Length).CopyTo(part);
            }
            else
            {
                part.Clear();
            }

            offset += part.Length;
            buffer = buffer[part.Length..];
        }

        return total;
    }

    /// <inheritdoc/>
    public long NextData(long offset)
    {
        long piece = offset / PieceSize;
        long last = (Length - 1) / PieceSize;
        while (piece <= last && !_pieces.ContainsKey(piece))
        {
            piece++;
        }

        return offset >= Length || piece > last ? long.MaxValue : Math.Max(offset, piece * PieceSize);
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        Length = Math.Max(Length, offset + data.Length);
        while (!data.IsEmpty)
        {
            int start = (int)(offset % PieceSize);
            int take = Math.Min(data.Length, PieceSize - start);
            if (!_pieces.TryGetValue(offset / PieceSize, out byte[]? piece))
            {
                _pieces[offset / PieceSize] = piece = new byte[PieceSize];
            }

            data[..take].CopyTo(piece.AsSpan(start));
            offset += take;
            data = data[take..];
        }
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        foreach (long index in _pieces.Keys.Where(index => (index + 1) * PieceSize > length).ToList())
        {
            long keep = length - (index * PieceSize);
            if (keep <= 0)
            {
                _pieces.Remove(index);
            }
            else
            {
                _pieces[index].AsSpan((int)keep).Clear();
            }
        }

        Length = length;
    }

    /// <inheritdoc/>
    public void Flush()
    {
        // Memory is as durable as it gets.
    }

    /// <inheritdoc/>
    public void Dispose() => _pieces.Clear();
}
