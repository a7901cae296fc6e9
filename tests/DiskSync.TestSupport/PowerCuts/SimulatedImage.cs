using DiskSync.Engine.Blocks;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>An image on a <see cref="SimulatedMedium"/>; open it to use it.</summary>
public sealed class SimulatedImage : SimulatedVolume
{
    private const int SectorSize = 512;

    private readonly List<ImageWrite> _log = [];

    // Pieces that nobody has read from the medium since they were written.
    private readonly HashSet<long> _unread = [];
    private SparseBytes _seen = new();

    internal SimulatedImage(SimulatedMedium medium, string name, long length)
        : base(medium, name) => Length = length;

    /// <summary>The length in bytes.</summary>
    public long Length { get; }

    /// <summary>What is durable.</summary>
    public SparseBytes Durable { get; } = new();

    /// <summary>What a reader sees.</summary>
    public SparseBytes Seen => _seen;

    /// <summary>Called while something is read past the cache, after it was read: somebody else may do something then.</summary>
    public Action? WhenReadPastCache { get; set; }

    /// <summary>Called while the image is flushed, after it was.</summary>
    public Action? WhenFlushed { get; set; }

    /// <summary>Opens it.</summary>
    public SimulatedDevice Open() => new(this, Medium);

    /// <summary>Whether all of a range has been read from the medium since it was written.</summary>
    public bool WasReadBack(long offset, long length) => !_unread.Any(
        piece => (piece + 1) * SparseBytes.PieceSize > offset && piece * SparseBytes.PieceSize < offset + length);

    internal void Read(long offset, Span<byte> buffer)
    {
        _seen.Read(offset, buffer);
        NoteRead(offset, buffer.Length, holesOnly: false);
    }

    internal void Write(long offset, ReadOnlySpan<byte> data)
    {
        _seen.Write(offset, data);
        _log.Add(new ImageWrite(offset, data.Length, data.ToArray()));
        NoteWritten(offset, data.Length);
    }

    internal void Zero(long offset, long length)
    {
        _seen.Zero(offset, length);
        _log.Add(new ImageWrite(offset, length, null));
        NoteWritten(offset, length);
    }

    internal void Flush()
    {
        foreach (ImageWrite write in _log)
        {
            Apply(write);
        }

        _log.Clear();
        WhenFlushed?.Invoke();
    }

    /// <summary>A flush that fails: what was not written is lost though readers see it still, as the kernel does it.</summary>
    internal void FailFlush()
    {
        foreach (ImageWrite write in _log)
        {
            if (write.Data is null || Medium.Random.Next(2) == 0)
            {
                Apply(write);
            }
        }

        _log.Clear();
    }

    internal void DropCache(long offset, long length)
    {
        if (_log.Count > 0)
        {
            return;
        }

        for (long piece = offset / SparseBytes.PieceSize; piece * SparseBytes.PieceSize < offset + length; piece++)
        {
            _seen.TakePiece(Durable, piece);
        }
    }

    /// <summary>Reads the medium; what was not flushed is seen nevertheless, as the kernel writes it first, and is not durable for that.</summary>
    internal void ReadPastCache(long offset, Span<byte> buffer)
    {
        ReadMedium(offset, buffer);
        WhenReadPastCache?.Invoke();
    }

    internal IEnumerable<Extent> Extents(long offset, long length)
    {
        NoteRead(offset, length, holesOnly: true);
        long at = offset;
        long end = offset + length;
        long first = offset / SparseBytes.PieceSize;
        foreach (long piece in _seen.Pieces.Where(p => p >= first && p * SparseBytes.PieceSize < end).ToList())
        {
            long start = Math.Max(offset, piece * SparseBytes.PieceSize);
            long stop = Math.Min(end, (piece + 1) * SparseBytes.PieceSize);
            if (start > at)
            {
                yield return new Extent(at, start - at, ExtentKind.Hole);
            }

            yield return new Extent(start, stop - start, ExtentKind.Data);
            at = stop;
        }

        if (at < end)
        {
            yield return new Extent(at, end - at, ExtentKind.Hole);
        }
    }

    internal override void PowerCut()
    {
        foreach (ImageWrite write in Survivors(_log))
        {
            if (Medium.Random.Next(2) == 0)
            {
                Apply(write);
            }
            else
            {
                ApplyTorn(write);
            }
        }

        _log.Clear();
        _seen = Durable.Copy();
    }

    private void ReadMedium(long offset, Span<byte> buffer)
    {
        long end = offset + buffer.Length;
        if (_log.Exists(write => write.Offset < end && write.Offset + write.Length > offset))
        {
            _seen.Read(offset, buffer);
            return;
        }

        Durable.Read(offset, buffer);
        _unread.RemoveWhere(piece => piece * SparseBytes.PieceSize >= offset && Math.Min((piece + 1) * SparseBytes.PieceSize, Length) <= end);
    }

    private void Apply(ImageWrite write)
    {
        if (write.Data is null)
        {
            Durable.Zero(write.Offset, write.Length);
        }
        else
        {
            Durable.Write(write.Offset, write.Data);
        }
    }

    /// <summary>Each sector for itself.</summary>
    private void ApplyTorn(ImageWrite write)
    {
        for (long at = 0; at < write.Length;)
        {
            long take = Math.Min(write.Length - at, SectorSize - ((write.Offset + at) % SectorSize));
            if (Medium.Random.Next(2) == 0)
            {
                Durable.Write(
                    write.Offset + at, write.Data is null ? new byte[take] : write.Data.AsSpan((int)at, (int)take));
            }

            at += take;
        }
    }

    private void NoteWritten(long offset, long length)
    {
        for (long piece = offset / SparseBytes.PieceSize; piece * SparseBytes.PieceSize < offset + length; piece++)
        {
            _unread.Add(piece);
        }
    }

    private void NoteRead(long offset, long length, bool holesOnly)
    {
        if (_log.Count == 0 && _unread.Count > 0)
        {
            _unread.RemoveWhere(piece => piece >= offset / SparseBytes.PieceSize
                && piece * SparseBytes.PieceSize < offset + length
                && (!holesOnly || !_seen.Has(piece))
                && _seen.SamePiece(Durable, piece));
        }
    }
}
