using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>One thread's comparison of two images, chunk by chunk, without hashing.</summary>
internal sealed class ChunkComparer : IItemWorker<ImageChunk, ChunkComparison>
{
    /// <summary>What is read from each side at once: both halves stay in a core's second-level cache.</summary>
    private const int ReadBytes = 256 << 10;

    private readonly IBlockDevice _base;
    private readonly IBlockDevice _image;
    private readonly BlockGeometry _baseGeometry;
    private readonly BlockGeometry _geometry;
    private readonly AlignedBuffer _baseBuffer;
    private readonly AlignedBuffer _imageBuffer;
    private List<StateRun> _runs = [];
    private long _precise;
    private long _firstDifference;

    /// <summary>Takes the two images; they stay the caller's.</summary>
    public ChunkComparer(
        IBlockDevice baseImage, BlockGeometry baseGeometry, IBlockDevice image, BlockGeometry geometry)
    {
        _base = baseImage;
        _baseGeometry = baseGeometry;
        _image = image;
        _geometry = geometry;
        int size = Math.Max(ReadBytes, geometry.Granularity);
        _baseBuffer = new AlignedBuffer(size);
        _imageBuffer = new AlignedBuffer(size);
    }

    /// <inheritdoc/>
    public ChunkComparison Work(ImageChunk item)
    {
        _runs = [];
        _precise = 0;
        _firstDifference = -1;
        if (!item.IsData)
        {
            Holes(item);
        }
        else
        {
            long most = Math.Max(1, ReadBytes / _geometry.Granularity);
            for (long done = 0; done < item.Count; done += most)
            {
                Piece(item with { First = item.First + done, Count = Math.Min(most, item.Count - done) });
            }
        }

        return new ChunkComparison(_runs, _precise, _firstDifference);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _baseBuffer.Dispose();
        _imageBuffer.Dispose();
    }

    private void Holes(ImageChunk chunk)
    {
        // Blocks whose length is the same on both sides are the same zeros; the others are new, or cut.
        long same = Math.Clamp(SameLengthBlocks() - chunk.First, 0, chunk.Count);
        if (same > 0)
        {
            Add(new StateRun(chunk.First, same, BlockState.Hole));
        }

        long first = chunk.First + same;
        if (same < chunk.Count)
        {
            Add(new StateRun(first, chunk.Count - same, BlockState.Zeroed));
            long start = Math.Max(_geometry.OffsetOf(first), Math.Min(_baseGeometry.Length, _geometry.Length));
            long end = Math.Min(_geometry.Length, _geometry.OffsetOf(chunk.First + chunk.Count));
            long subBlock = start - (start % BlockGeometry.SubBlockSize);
            Difference(start, start < end ? end - Math.Max(_geometry.OffsetOf(first), subBlock) : 0);
        }
    }

    /// <summary>How many blocks from the start have the same length in both images.</summary>
    private long SameLengthBlocks()
    {
        long common = Math.Min(_baseGeometry.BlockCount, _geometry.BlockCount);
        return common > 0 && _baseGeometry.LengthOf(common - 1) != _geometry.LengthOf(common - 1) ? common - 1 : common;
    }

    private void Piece(ImageChunk piece)
    {
        long offset = _geometry.OffsetOf(piece.First);
        int length = (int)Math.Min(piece.Count * _geometry.Granularity, _geometry.Length - offset);
        int baseLength = (int)Math.Clamp(_baseGeometry.Length - offset, 0, piece.Count * _geometry.Granularity);
        ReadOnlySpan<byte> image = Read(_image, _imageBuffer, offset, length, piece.ImageIsData);
        ReadOnlySpan<byte> old = Read(_base, _baseBuffer, offset, baseLength, piece.BaseIsData);
        if (length == baseLength && image.SequenceEqual(old))
        {
            Add(new StateRun(piece.First, piece.Count, BlockState.Same));
            return;
        }

        for (long block = piece.First; block < piece.First + piece.Count; block++)
        {
            int at = (int)(_geometry.OffsetOf(block) - offset);
            ReadOnlySpan<byte> now = image.Slice(at, _geometry.LengthOf(block));
            int oldLength = Math.Clamp(old.Length - at, 0, _geometry.Granularity);
            Block(block, old.Slice(Math.Min(at, old.Length), oldLength), now);
        }
    }

    private static ReadOnlySpan<byte> Read(IBlockDevice device, AlignedBuffer buffer, long offset, int length, bool isData)
    {
        Span<byte> bytes = buffer.Span[..length];
        if (isData && length > 0)
        {
            device.Read(offset, bytes);
        }
        else
        {
            bytes.Clear();
        }

        return bytes;
    }

    private void Block(long block, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        if (old.SequenceEqual(now))
        {
            Add(new StateRun(block, 1, BlockState.Same));
            return;
        }

        Add(new StateRun(block, 1, ZeroCheck.IsZero(now) ? BlockState.Zeroed : BlockState.Changed));
        long offset = _geometry.OffsetOf(block);
        int common = Math.Min(old.Length, now.Length);
        for (int at = 0; at < now.Length; at += BlockGeometry.SubBlockSize)
        {
            int length = Math.Min(BlockGeometry.SubBlockSize, now.Length - at);
            int shared = Math.Clamp(common - at, 0, length);
            ReadOnlySpan<byte> a = old.Slice(Math.Min(at, old.Length), shared);
            ReadOnlySpan<byte> b = now.Slice(at, shared);
            int equal = a.CommonPrefixLength(b);
            if (equal < length)
            {
                Difference(offset + at + equal, 0);
                _precise += length;
            }
        }

        if (old.Length > now.Length)
        {
            // The image ends inside this block and is the same so far: what differs is where it ends.
            Difference(offset + now.Length, 0);
        }
    }

    private void Difference(long offset, long precise)
    {
        _firstDifference = _firstDifference < 0 ? offset : Math.Min(_firstDifference, offset);
        _precise += precise;
    }

    private void Add(StateRun run)
    {
        if (_runs.Count > 0 && _runs[^1].State == run.State)
        {
            _runs[^1] = _runs[^1] with { Count = _runs[^1].Count + run.Count };
            return;
        }

        _runs.Add(run);
    }
}
