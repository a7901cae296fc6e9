using DiskSync.Engine;
using DiskSync.Engine.Journal;

namespace DiskSync.TestSupport.PowerCuts;

/// <summary>An open <see cref="SimulatedFile"/>.</summary>
public sealed class SimulatedStateFile : IStateFile
{
    private readonly SimulatedFile _file;
    private readonly SimulatedMedium _medium;
    private readonly int _generation;
    private bool _flushFailed;

    internal SimulatedStateFile(SimulatedFile file, SimulatedMedium medium)
    {
        _file = file;
        _medium = medium;
        _generation = medium.Generation;
    }

    /// <inheritdoc/>
    public string Name => _file.Name;

    /// <inheritdoc/>
    public long Length => _file.Length;

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> buffer)
    {
        CheckAlive();
        return _file.Read(offset, buffer);
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        CheckAlive();
        if (_medium.MustFail())
        {
            _file.Write(offset, data[..(data.Length / 2)]);
            throw Failed("write");
        }

        _file.Write(offset, data);
    }

    /// <inheritdoc/>
    public void SetLength(long length)
    {
        CheckAlive();
        if (_medium.MustFail())
        {
            throw Failed("set the length of");
        }

        _file.SetLength(length);
    }

    /// <inheritdoc/>
    public void Flush() => Flush(_file.FlushPoint);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The file stays.
    }

    /// <summary>Flushes for a given reason.</summary>
    internal void Flush(FlushPoint point)
    {
        CheckAlive();
        if (_flushFailed)
        {
            throw Failed("flush");
        }

        if (_medium.MustFail())
        {
            _flushFailed = true;
            _file.FailFlush();
            throw Failed("flush");
        }

        if (point == FlushPoint.None || _medium.TakenOut != point)
        {
            _file.Flush();
        }
    }

    private DiskSyncException Failed(string operation) =>
        new(FailureKind.Destination, $"{operation} {Name}: a simulated failure", "Go on.");

    private void CheckAlive()
    {
        if (_generation != _medium.Generation)
        {
            throw new InvalidOperationException($"{Name} was opened before the power was cut");
        }
    }
}
