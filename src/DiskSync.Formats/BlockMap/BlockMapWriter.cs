using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>Writes a block map file in one pass (FORMAT.md).</summary>
/// <remarks>
/// Bounded memory for any image. The stream is written forward from where it stands, buffered; it is flushed at the
/// end, stays open and belongs to the caller, and so do durability and the file's name. Not thread safe. A file that
/// was not finished is refused by the reader.
/// </remarks>
public sealed class BlockMapWriter
{
    private readonly CheckedOutput _output;
    private readonly RootHasher _root;
    private readonly byte[] _literals = new byte[MapFormat.MaxLiteral * Hash256.Size];
    private int _literalCount;
    private Hash256 _runHash;
    private long _runCount;
    private long _unknown;

    /// <summary>Writes the header.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="geometry">The image's geometry.</param>
    public BlockMapWriter(Stream stream, BlockGeometry geometry)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Geometry = geometry;
        _root = new RootHasher(geometry);
        _output = new CheckedOutput(stream);
        _output.Write(MapFormat.Magic);
        _output.Write(MapFormat.Version);
        _output.Write((ushort)0);
        _output.Write((uint)geometry.Granularity);
        _output.Write(geometry.Length);
        _output.Write(geometry.BlockCount);
    }

    /// <summary>The image's geometry.</summary>
    public BlockGeometry Geometry { get; }

    /// <summary>Appends the next block's hash.</summary>
    public void Append(in Hash256 hash) => AppendRun(1, hash);

    /// <summary>Appends the hashes of the next blocks, all equal.</summary>
    /// <param name="count">How many blocks.</param>
    /// <param name="hash">The hash of each; unknown where they have not been hashed.</param>
    /// <exception cref="InvalidOperationException">More blocks than the image has.</exception>
    public void AppendRun(long count, in Hash256 hash)
    {
        _root.AppendRun(count, hash);
        _unknown += hash.IsUnknown ? count : 0;
        if (hash != _runHash)
        {
            EndRun();
            _runHash = hash;
        }

        _runCount += count;
    }

    /// <summary>Writes the end record and the trailer.</summary>
    /// <returns>The image's root hash.</returns>
    /// <exception cref="InvalidOperationException">Not all blocks were appended.</exception>
    public Hash256 Finish()
    {
        Hash256 root = _root.Finish();
        EndRun();
        EndLiterals();
        _output.Write(MapFormat.End);
        _output.Write(Geometry.BlockCount);
        _output.Write(_unknown);
        _output.Write(root);
        _output.WriteTrailer();
        return root;
    }

    private void EndRun()
    {
        if (_runCount == 1)
        {
            _runHash.CopyTo(_literals.AsSpan(_literalCount++ * Hash256.Size));
            if (_literalCount == MapFormat.MaxLiteral)
            {
                EndLiterals();
            }
        }
        else if (_runCount > 1)
        {
            EndLiterals();
            _output.Write(MapFormat.Repeat);
            _output.Write(_runCount);
            _output.Write(_runHash);
        }

        _runCount = 0;
    }

    private void EndLiterals()
    {
        if (_literalCount > 0)
        {
            _output.Write(MapFormat.Literal);
            _output.Write((ushort)_literalCount);
            _output.Write(_literals.AsSpan(0, _literalCount * Hash256.Size));
            _literalCount = 0;
        }
    }
}
