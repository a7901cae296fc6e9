namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A small file on a <see cref="SimulatedMedium"/>; open it to use it.</summary>
public sealed class SimulatedFile : SimulatedVolume
{
    private const int FirstRecord = 12288;

    private readonly List<FileWrite> _log = [];
    private readonly GrowingBytes _durable = new();
    private readonly FlushPoint _flush;
    private GrowingBytes _seen = new();

    internal SimulatedFile(SimulatedMedium medium, string name, FlushPoint flush)
        : base(medium, name) => _flush = flush;

    /// <summary>Whether a flush of it has failed, so that parts may be missing from the medium that readers see.</summary>
    public bool HasLostWrites { get; private set; }

    internal long Length => _seen.Length;

    /// <summary>What it is being flushed for; the journal's files know it from the phase.</summary>
    internal FlushPoint FlushPoint
    {
        get
        {
            if (_flush != FlushPoint.None)
            {
                return _flush;
            }

            bool record = _log.Count > 0 && _log[^1] is { Data: not null, Offset: >= FirstRecord };
            return record && Medium.TakenOut == FlushPoint.Record ? FlushPoint.Record : Medium.Phase;
        }
    }

    /// <summary>Opens it.</summary>
    public SimulatedStateFile Open() => new(this, Medium);

    internal int Read(long offset, Span<byte> buffer) => _seen.Read(offset, buffer);

    internal void Write(long offset, ReadOnlySpan<byte> data)
    {
        _seen.Write(offset, data);
        _log.Add(new FileWrite(offset, data.ToArray()));
    }

    internal void SetLength(long length)
    {
        if (length != Length)
        {
            _seen.SetLength((int)length);
            _log.Add(new FileWrite(length, null));
        }
    }

    internal void Flush()
    {
        foreach (FileWrite write in _log)
        {
            Apply(write, 0, write.Data?.Length ?? 0);
        }

        _log.Clear();
    }

    /// <summary>A flush that fails: what was not written is lost though readers see it still.</summary>
    internal void FailFlush()
    {
        foreach (FileWrite write in _log)
        {
            if (Medium.Random.Next(2) == 0)
            {
                Apply(write, 0, write.Data?.Length ?? 0);
            }
        }

        HasLostWrites = true;
        _log.Clear();
    }

    internal override void PowerCut()
    {
        foreach (FileWrite write in Survivors(_log))
        {
            int length = write.Data?.Length ?? 0;
            bool torn = length > 0 && Medium.Random.Next(2) == 0;
            int from = torn && Medium.Random.Next(2) == 0 ? Medium.Random.Next(length) : 0;
            int to = torn ? Medium.Random.Next(from, length) : length;
            Apply(write, from, to);
        }

        _log.Clear();
        _seen = _durable.Copy();
    }

    private void Apply(FileWrite write, int from, int to)
    {
        if (write.Data is null)
        {
            _durable.SetLength((int)write.Offset);
        }
        else
        {
            _durable.Write(write.Offset + from, write.Data.AsSpan(from, to - from));
        }
    }
}
