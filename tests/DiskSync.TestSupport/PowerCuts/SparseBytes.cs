namespace DiskSync.TestSupport.PowerCuts;

/// <summary>Bytes of an image, of which pieces of 4 KiB that were never written cost nothing.</summary>
/// <remarks>Pieces are never changed, only replaced: so a copy shares them. Not thread safe.</remarks>
public sealed class SparseBytes
{
    /// <summary>The size of a piece.</summary>
    public const int PieceSize = 4096;

    private readonly SortedDictionary<long, byte[]> _pieces;

    /// <summary>Nothing but zeros.</summary>
    public SparseBytes() => _pieces = [];

    private SparseBytes(SparseBytes other) => _pieces = new SortedDictionary<long, byte[]>(other._pieces);

    /// <summary>The numbers of the pieces that are there, ascending.</summary>
    public IEnumerable<long> Pieces => _pieces.Keys;

    /// <summary>The same bytes, which change independently.</summary>
    public SparseBytes Copy() => new(this);

    /// <summary>Whether a piece is there.</summary>
    public bool Has(long piece) => _pieces.ContainsKey(piece);

    /// <summary>Whether a piece is the same in another image.</summary>
    public bool SamePiece(SparseBytes other, long piece)
    {
        byte[]? mine = _pieces.GetValueOrDefault(piece);
        byte[]? theirs = other._pieces.GetValueOrDefault(piece);
        return ReferenceEquals(mine, theirs) || (mine is not null && theirs is not null && mine.AsSpan().SequenceEqual(theirs));
    }

    /// <summary>Makes a piece what it is in another image.</summary>
    public void TakePiece(SparseBytes other, long piece)
    {
        if (other._pieces.TryGetValue(piece, out byte[]? theirs))
        {
            _pieces[piece] = theirs;
        }
        else
        {
            _pieces.Remove(piece);
        }
    }

    /// <summary>Reads bytes.</summary>
    public void Read(long offset, Span<byte> buffer)
    {
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
    }

    /// <summary>Writes bytes.</summary>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int start = (int)(offset % PieceSize);
            int take = Math.Min(data.Length, PieceSize - start);
            byte[] fresh = new byte[PieceSize];
            if (_pieces.TryGetValue(offset / PieceSize, out byte[]? piece))
            {
                piece.CopyTo(fresh, 0);
            }

            data[..take].CopyTo(fresh.AsSpan(start));
            _pieces[offset / PieceSize] = fresh;
            offset += take;
            data = data[take..];
        }
    }

    /// <summary>Makes bytes zeros; whole pieces go away.</summary>
    public void Zero(long offset, long length)
    {
        long end = offset + length;
        long firstWhole = (offset + PieceSize - 1) / PieceSize;
        long endWhole = end / PieceSize;
        if (firstWhole >= endWhole)
        {
            Write(offset, new byte[length]);
            return;
        }

        foreach (long piece in _pieces.Keys.Where(p => p >= firstWhole && p < endWhole).ToList())
        {
            _pieces.Remove(piece);
        }

        Write(offset, new byte[(firstWhole * PieceSize) - offset]);
        Write(endWhole * PieceSize, new byte[end - (endWhole * PieceSize)]);
    }
}
