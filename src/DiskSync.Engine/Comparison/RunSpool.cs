using System.Buffers.Binary;

namespace DiskSync.Engine.Comparison;

/// <summary>Keeps any number of changed runs for later, in bounded memory: the first in a list, the rest in a temporary file.</summary>
/// <remarks>A terabyte in which every other 4 KiB changed has 134 million runs. Not thread safe.</remarks>
public sealed class RunSpool : IDisposable
{
    private const int InMemory = 1 << 17;
    private const int RecordSize = 16;
    private readonly List<(long First, long CountAndState)> _list = [];
    private FileStream? _file;

    /// <summary>How many runs it holds.</summary>
    public long Count { get; private set; }

    /// <summary>Adds a run; runs that are no change are left out.</summary>
    /// <exception cref="DiskSyncException">The temporary file cannot be written.</exception>
    public void Add(StateRun run)
    {
        if (!run.IsChange)
        {
            return;
        }

        // The state in the sign: a count is never negative.
        long count = run.State == BlockState.Zeroed ? -run.Count : run.Count;
        Count++;
        if (_list.Count < InMemory)
        {
            _list.Add((run.First, count));
            return;
        }

        Span<byte> record = stackalloc byte[RecordSize];
        BinaryPrimitives.WriteInt64LittleEndian(record, run.First);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], count);
        try
        {
            _file ??= new FileStream(
                Path.Join(Path.GetTempPath(), $"disksync-extents-{Guid.NewGuid():N}"),
                FileMode.CreateNew,
                FileAccess.ReadWrite,
                FileShare.None,
                1 << 16,
                FileOptions.DeleteOnClose);
            _file.Write(record);
        }
        catch (IOException failure)
        {
            throw new DiskSyncException(
                FailureKind.Destination,
                $"temporary file in {Path.GetTempPath()}: cannot write: {failure.Message}",
                "Make room there, or set TMPDIR to another folder.",
                failure);
        }
    }

    /// <summary>The runs in the order in which they were added; may be enumerated once, after the last was added.</summary>
    public IEnumerable<StateRun> Read()
    {
        foreach ((long first, long count) in _list)
        {
            yield return Run(first, count);
        }

        if (_file is null)
        {
            yield break;
        }

        _file.Position = 0;
        byte[] record = new byte[RecordSize];
        while (_file.ReadAtLeast(record, RecordSize, throwOnEndOfStream: false) == RecordSize)
        {
            yield return Run(
                BinaryPrimitives.ReadInt64LittleEndian(record), BinaryPrimitives.ReadInt64LittleEndian(record.AsSpan(8)));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    private static StateRun Run(long first, long count) =>
        new(first, Math.Abs(count), count < 0 ? BlockState.Zeroed : BlockState.Changed);
}
