namespace DiskSync.Engine.Comparison;

/// <summary>Joins neighbouring runs of one state, so that visitors see each change once. Not thread safe.</summary>
internal sealed class RunMerger(Action<StateRun>? onRun)
{
    private StateRun _last;

    /// <summary>Groups of neighbouring changed blocks so far, whatever they changed to.</summary>
    public long ChangedExtents { get; private set; }

    /// <summary>Adds the next run; it starts where the last one ended.</summary>
    public void Add(StateRun run)
    {
        if (_last.Count > 0 && _last.State == run.State)
        {
            _last = _last with { Count = _last.Count + run.Count };
            return;
        }

        if (run.IsChange && !(_last.Count > 0 && _last.IsChange))
        {
            ChangedExtents++;
        }

        End();
        _last = run;
    }

    /// <summary>Hands over what is left.</summary>
    public void End()
    {
        if (_last.Count > 0)
        {
            onRun?.Invoke(_last);
        }

        _last = default;
    }
}
