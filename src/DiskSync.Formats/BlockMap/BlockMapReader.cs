using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>Reads a block map file from its beginning to its end (FORMAT.md).</summary>
/// <remarks>
/// Bounded memory for any file. Runs are handed out as they are read, but the file is proven whole only when
/// <see cref="TryRead"/> has returned false: until then nothing irreversible may be done with them. The stream is read
/// forward from where it stands, stays open and belongs to the caller. Not thread safe.
/// </remarks>
public sealed class BlockMapReader
{
    private readonly CheckedInput _input;
    private readonly RootHasher _rootHasher;
    private Hash256 _root;
    private int _literals;
    private long _unknown;
    private bool _complete;

    /// <summary>Reads the header.</summary>
    /// <param name="stream">Where from.</param>
    /// <exception cref="FormatViolationException">No map file, of another version, or its geometry cannot be.</exception>
    public BlockMapReader(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _input = new CheckedInput(stream, MapFormat.Name);
        Geometry = MapFormat.ReadHeader(_input);
        _rootHasher = new RootHasher(Geometry);
    }

    /// <summary>The image's geometry.</summary>
    public BlockGeometry Geometry { get; }

    /// <summary>Whether the whole file was read and its counts, root and check were right.</summary>
    public bool IsComplete => _complete;

    /// <summary>The image's root hash, computed from the runs.</summary>
    /// <exception cref="InvalidOperationException">The file has not been read to its end.</exception>
    public Hash256 Root => _complete ? _root : throw new InvalidOperationException("read all runs first");

    /// <summary>How many blocks have no known hash.</summary>
    /// <exception cref="InvalidOperationException">The file has not been read to its end.</exception>
    public long UnknownBlocks => _complete ? _unknown : throw new InvalidOperationException("read all runs first");

    /// <summary>Reads the next run.</summary>
    /// <param name="run">The run; runs follow each other from block 0 without a gap, neighbours may be equal.</param>
    /// <returns>False after the last block, when everything has been checked.</returns>
    /// <exception cref="FormatViolationException">The file is cut off, damaged or wrong; nothing it said may be used.</exception>
    public bool TryRead(out MapRun run)
    {
        run = default;
        if (_complete)
        {
            return false;
        }

        if (_literals == 0)
        {
            byte kind = _input.Byte("record kind");
            switch (kind)
            {
                case MapFormat.Repeat:
                    run = Account(ReadCount(), _input.Hash("hash"));
                    return true;
                case MapFormat.Literal:
                    _literals = ReadLiteralCount();
                    break;
                case MapFormat.End:
                    ReadEnd();
                    return false;
                default:
                    throw _input.Violation($"record kind {kind}", "1, 2 or 3", 1);
            }
        }

        _literals--;
        run = Account(1, _input.Hash("hash"));
        return true;
    }

    private long Left => Geometry.BlockCount - _rootHasher.BlocksAppended;

    private MapRun Account(long count, Hash256 hash)
    {
        _rootHasher.AppendRun(count, hash);
        _unknown += hash.IsUnknown ? count : 0;
        return new MapRun(count, hash);
    }

    private long ReadCount()
    {
        ulong count = _input.UInt64("run length");
        return count >= 1 && count <= (ulong)Left
            ? (long)count
            : throw _input.Violation($"a run of {count} blocks", $"1 to {Left}", sizeof(ulong));
    }

    private int ReadLiteralCount()
    {
        int count = _input.UInt16("literal count");
        return count >= 1 && count <= MapFormat.MaxLiteral && count <= Left
            ? count
            : throw _input.Violation($"{count} literals", $"1 to {Math.Min(Left, MapFormat.MaxLiteral)}", sizeof(ushort));
    }

    private void ReadEnd()
    {
        ulong blocks = _input.UInt64("block count");
        if (blocks != (ulong)_rootHasher.BlocksAppended || Left != 0)
        {
            throw _input.Violation($"the end after {_rootHasher.BlocksAppended} blocks", $"{Geometry.BlockCount} blocks", 9);
        }

        ulong unknown = _input.UInt64("unknown blocks");
        if (unknown != (ulong)_unknown)
        {
            throw _input.Violation($"{unknown} unknown blocks", $"{_unknown}", sizeof(ulong));
        }

        _root = _rootHasher.Finish();
        Hash256 stored = _input.Hash("root");
        if (stored != _root)
        {
            throw _input.Violation($"root {stored}", $"{_root}, as the hashes say", Hash256.Size);
        }

        _input.Trailer();
        _complete = true;
    }
}
