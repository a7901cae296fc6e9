using DiskSync.Codecs;
using DiskSync.Engine.Progress;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;

namespace DiskSync.Engine.Comparison;

/// <summary>Takes the workers' pieces in order: both roots, and the records of what changed. Not thread safe.</summary>
internal sealed class DeltaSink
{
    private readonly BlockGeometry _newGeometry;
    private readonly DeltaWriter _writer;
    private readonly RootHasher _oldRoot;
    private readonly RootHasher _newRoot;
    private readonly ComparisonOptions _options;
    private readonly Stream _output;
    private long _changed;
    private long _raw;

    /// <summary>Begins the file.</summary>
    public DeltaSink(Stream output, BlockGeometry oldGeometry, BlockGeometry newGeometry, ComparisonOptions options)
    {
        _output = output;
        _newGeometry = newGeometry;
        _options = options;
        _writer = new DeltaWriter(output, oldGeometry, newGeometry);
        _oldRoot = new RootHasher(oldGeometry);
        _newRoot = new RootHasher(newGeometry);
    }

    /// <summary>Takes the next piece and gives its buffers back.</summary>
    public void Take(DeltaChunk chunk, DeltaPiece piece)
    {
        foreach (DeltaRun run in piece.Runs)
        {
            if (!run.Old.IsUnknown)
            {
                _oldRoot.AppendRun(run.Count, run.Old);
            }

            _newRoot.AppendRun(run.Count, run.New);
            if (run.Old != run.New)
            {
                Write(run, piece);
            }
        }

        piece.Return();
        _options.Progress.Report(new CopyProgress(CopyPhase.Comparing)
        {
            BytesDone = Math.Min(_newGeometry.Length, _newGeometry.OffsetOf(chunk.Chunk.First + chunk.Chunk.Count)),
            BytesTotal = _newGeometry.Length,
            DirtyBlocks = _changed,
            RawBytes = _raw,
            SentBytes = _output.Position,
        });
    }

    /// <summary>Takes hashes of the base past the image's end.</summary>
    public void TakeOldTail(long count, Hash256 hash) => _oldRoot.AppendRun(count, hash);

    /// <summary>Ends the file.</summary>
    public DeltaSummary Finish() => _writer.Finish(_oldRoot.Finish(), _newRoot.Finish());

    private void Write(DeltaRun run, DeltaPiece piece)
    {
        _changed += run.Count;
        int length = _newGeometry.LengthOf(run.First);
        if (run.New == ZeroBlock.HashOf(length))
        {
            // A record counts its blocks in 32 bits; a hole of more than 2^32 blocks takes several.
            for (long done = 0; done < run.Count;)
            {
                uint count = (uint)Math.Min(run.Count - done, uint.MaxValue);
                _writer.WriteZeros(run.First + done, count, run.Old);
                done += count;
            }

            return;
        }

        _raw += length;
        int at = (int)(_newGeometry.OffsetOf(run.First) - piece.Offset);
        ReadOnlySpan<byte> old = piece.OldContent.AsSpan();
        ReadOnlySpan<byte> oldBlock = at >= old.Length
            ? []
            : old.Slice(at, Math.Min(_newGeometry.Granularity, old.Length - at));
        _writer.WriteBlock(run.First, run.Old, run.New, piece.Content.AsSpan(at, length), oldBlock);
    }
}
