using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>One thread's hashing of an image, chunk by chunk.</summary>
internal sealed class ChunkHasher : IItemWorker<ImageChunk, Hash256[]>
{
    /// <summary>What is read at once: it is still in the core's second-level cache when it is hashed.</summary>
    private const int ReadBytes = 256 << 10;

    private readonly IBlockDevice _image;
    private readonly BlockGeometry _geometry;
    private readonly AlignedBuffer _buffer;
    private readonly ZeroHashes _zeros;

    /// <summary>Takes the image, which stays the caller's.</summary>
    public ChunkHasher(IBlockDevice image, BlockGeometry geometry, ZeroHashes zeros)
    {
        _image = image;
        _geometry = geometry;
        _zeros = zeros;
        _buffer = new AlignedBuffer(Math.Max(ReadBytes, geometry.Granularity));
    }

    /// <summary>The hashes of the chunk's blocks; empty for a chunk that reads as zeros.</summary>
    public Hash256[] Work(ImageChunk item)
    {
        if (!item.ImageIsData)
        {
            return [];
        }

        var hashes = new Hash256[item.Count];
        int most = Math.Max(1, ReadBytes / _geometry.Granularity);
        for (int done = 0; done < hashes.Length; done += most)
        {
            long first = item.First + done;
            int count = Math.Min(most, hashes.Length - done);
            long offset = _geometry.OffsetOf(first);
            int length = (int)Math.Min((long)count * _geometry.Granularity, _geometry.Length - offset);
            Span<byte> bytes = _buffer.Span[..length];
            _image.Read(offset, bytes);
            _zeros.Hash(bytes, first, hashes.AsSpan(done, count), []);
        }

        return hashes;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();
}
