using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>One thread's part of making a delta: hashes before and after, and the content of what changed.</summary>
internal sealed class DeltaWorker : IItemWorker<DeltaChunk, DeltaPiece>
{
    private readonly IBlockDevice? _base;
    private readonly IBlockDevice _image;
    private readonly BlockGeometry _oldGeometry;
    private readonly BlockGeometry _newGeometry;
    private readonly ZeroHashes _oldZeros;
    private readonly ZeroHashes _newZeros;
    private readonly AlignedBuffer _oldBuffer;
    private readonly AlignedBuffer _newBuffer;

    /// <summary>Takes the images, which stay the caller's.</summary>
    /// <param name="baseImage">The base, or null where only its map is there.</param>
    /// <param name="oldGeometry">The base's geometry.</param>
    /// <param name="image">The image.</param>
    /// <param name="newGeometry">The image's geometry.</param>
    /// <param name="chunkBytes">The most bytes of a chunk, one block at least.</param>
    public DeltaWorker(
        IBlockDevice? baseImage, BlockGeometry oldGeometry, IBlockDevice image, BlockGeometry newGeometry, int chunkBytes)
    {
        _base = baseImage;
        _oldGeometry = oldGeometry;
        _image = image;
        _newGeometry = newGeometry;
        _oldZeros = new ZeroHashes(oldGeometry);
        _newZeros = new ZeroHashes(newGeometry);
        _oldBuffer = new AlignedBuffer(Math.Max(chunkBytes, newGeometry.Granularity));
        _newBuffer = new AlignedBuffer(Math.Max(chunkBytes, newGeometry.Granularity));
    }

    /// <inheritdoc/>
    public DeltaPiece Work(DeltaChunk item)
    {
        var piece = new DeltaPiece();
        ImageChunk chunk = item.Chunk;
        if (item.Old is { } runs)
        {
            AgainstMap(chunk, runs, piece);
        }
        else if (chunk.IsData)
        {
            AgainstImage(chunk, piece);
        }
        else
        {
            Holes(chunk, piece);
        }

        return piece;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _oldBuffer.Dispose();
        _newBuffer.Dispose();
    }

    private void AgainstImage(ImageChunk chunk, DeltaPiece piece)
    {
        long offset = _newGeometry.OffsetOf(chunk.First);
        ReadOnlySpan<byte> now = ReadNew(chunk);
        int oldLength = (int)Math.Clamp(_oldGeometry.Length - offset, 0, chunk.Count * _newGeometry.Granularity);
        Span<byte> old = _oldBuffer.Span[..oldLength];
        if (!chunk.BaseIsData)
        {
            old.Clear();
        }
        else
        {
            _base!.Read(offset, old);
        }

        int oldCount = (int)Math.Clamp(_oldGeometry.BlockCount - chunk.First, 0, chunk.Count);
        var newHashes = new Hash256[chunk.Count];
        _newZeros.Hash(now, chunk.First, newHashes, []);
        Hash256[] oldHashes = newHashes;
        bool same = old.SequenceEqual(now);
        if (!same)
        {
            oldHashes = new Hash256[chunk.Count];
            _oldZeros.Hash(old, chunk.First, oldHashes.AsSpan(0, oldCount), []);
        }

        for (int i = 0; i < newHashes.Length; i++)
        {
            piece.Runs.Add(new DeltaRun(chunk.First + i, 1, oldHashes[i], newHashes[i]));
        }

        if (!same)
        {
            piece.Take(offset, now, old);
        }
    }

    private void AgainstMap(ImageChunk chunk, List<MapRun> runs, DeltaPiece piece)
    {
        if (!chunk.ImageIsData)
        {
            long first = chunk.First;
            foreach (MapRun run in runs)
            {
                Zeros(first, run.Count, run.Hash, piece);
                first += run.Count;
            }

            Zeros(first, chunk.First + chunk.Count - first, Hash256.Unknown, piece);
            return;
        }

        ReadOnlySpan<byte> now = ReadNew(chunk);
        var hashes = new Hash256[chunk.Count];
        _newZeros.Hash(now, chunk.First, hashes, []);
        bool changed = false;
        int at = 0;
        foreach (MapRun run in runs)
        {
            for (long i = 0; i < run.Count; i++)
            {
                changed |= run.Hash != hashes[at];
                piece.Runs.Add(new DeltaRun(chunk.First + at, 1, run.Hash, hashes[at]));
                at++;
            }
        }

        for (; at < hashes.Length; at++)
        {
            changed = true;
            piece.Runs.Add(new DeltaRun(chunk.First + at, 1, Hash256.Unknown, hashes[at]));
        }

        if (changed)
        {
            piece.Take(_newGeometry.OffsetOf(chunk.First), now, []);
        }
    }

    private ReadOnlySpan<byte> ReadNew(ImageChunk chunk)
    {
        long offset = _newGeometry.OffsetOf(chunk.First);
        int length = (int)Math.Min(chunk.Count * _newGeometry.Granularity, _newGeometry.Length - offset);
        Span<byte> bytes = _newBuffer.Span[..length];
        if (chunk.ImageIsData)
        {
            _image.Read(offset, bytes);
        }
        else
        {
            bytes.Clear();
        }

        return bytes;
    }

    /// <summary>Zeros in both images: cut where the length of the blocks changes on either side.</summary>
    private void Holes(ImageChunk chunk, DeltaPiece piece)
    {
        long end = chunk.First + chunk.Count;
        long first = chunk.First;
        foreach (long cut in (ReadOnlySpan<long>)[_oldGeometry.BlockCount - 1, _oldGeometry.BlockCount, end])
        {
            long until = Math.Min(cut, end);
            if (until > first)
            {
                Hash256 old = first < _oldGeometry.BlockCount ? _oldZeros.Of(first) : Hash256.Unknown;
                Zeros(first, until - first, old, piece);
                first = until;
            }
        }
    }

    /// <summary>Blocks that are zeros now: the image's last one may be shorter.</summary>
    private void Zeros(long first, long count, Hash256 old, DeltaPiece piece)
    {
        if (count <= 0)
        {
            return;
        }

        foreach ((BlockRun run, Hash256 zero) in _newZeros.Runs(new BlockRun(first, count)))
        {
            piece.Runs.Add(new DeltaRun(run.First, run.Count, old, zero));
        }
    }
}
