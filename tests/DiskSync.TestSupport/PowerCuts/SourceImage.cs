using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>The source of a simulated copy: an image that a guest goes on writing.</summary>
internal sealed class SourceImage
{
    private readonly Random _random;
    private readonly BlockGeometry _geometry;
    private readonly SparseBytes _bytes = new();
    private readonly Dictionary<long, Hash256> _hashes = [];
    private readonly Dictionary<long, byte[]> _former = [];

    public SourceImage(BlockGeometry geometry, Random random)
    {
        _geometry = geometry;
        _random = random;
    }

    /// <summary>The blocks that are not zeros as a whole, and perhaps some that are.</summary>
    public IEnumerable<long> DataBlocks => _hashes.Keys;

    /// <summary>A block's hash.</summary>
    public Hash256 HashOf(long block) =>
        _hashes.TryGetValue(block, out Hash256 hash) ? hash : ZeroBlock.HashOf(_geometry.LengthOf(block));

    /// <summary>A block's content.</summary>
    public byte[] Read(long block)
    {
        byte[] content = new byte[_geometry.LengthOf(block)];
        _bytes.Read(_geometry.OffsetOf(block), content);
        return content;
    }

    /// <summary>Writes a few blocks near a random place: new content, a part of it, zeros, or what was there before.</summary>
    public void WriteSomething()
    {
        long near = _random.NextInt64(_geometry.BlockCount);
        int count = _random.Next(1, 8);
        for (int i = 0; i < count; i++)
        {
            long block = Math.Min(_geometry.BlockCount - 1, near + _random.Next(_random.Next(4) == 0 ? 600 : 12));
            byte[] before = Read(block);
            byte[] after = (byte[])before.Clone();
            switch (_random.Next(6))
            {
                case 0:
                    Array.Clear(after);
                    break;
                case 1 when _former.TryGetValue(block, out byte[]? former):
                    after = former;
                    break;
                case 2:
                    _random.NextBytes(after.AsSpan(_random.Next(after.Length)));
                    break;
                default:
                    _random.NextBytes(after);
                    break;
            }

            _former[block] = before;
            _bytes.Write(_geometry.OffsetOf(block), after);
            _hashes[block] = Blake3.Hash(after);
        }
    }
}
