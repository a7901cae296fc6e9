namespace DiskSync.Engine.Tail;

/// <summary>Where the background goes on: behind what a guest waited for last, and else from the image's start to its end.</summary>
/// <remarks>Thread safe.</remarks>
internal sealed class PullOrder
{
    private const int MostPlaces = 8;
    private readonly Lock _gate = new();
    private readonly List<(long Unit, long Left)> _places = [];
    private readonly long _ahead;
    private long _sweep;

    /// <summary>Begins at the image's start.</summary>
    /// <param name="ahead">How many units to go on behind a place that a guest touched.</param>
    public PullOrder(long ahead) => _ahead = ahead;

    /// <summary>A guest had to wait for what lies before a unit.</summary>
    public void Touched(long unit)
    {
        lock (_gate)
        {
            // One that goes on where another place is at is that place.
            _places.RemoveAll(p => unit >= p.Unit - _ahead && unit <= p.Unit + p.Left);
            _places.Add((unit, _ahead));
            if (_places.Count > MostPlaces)
            {
                _places.RemoveAt(0);
            }
        }
    }

    /// <summary>Picks what comes next.</summary>
    /// <param name="fetcher">Knows what is missing, and claims it.</param>
    /// <param name="most">The most units.</param>
    /// <param name="isLeftOut">Says which units not to pick.</param>
    /// <returns>The run; null where nothing is missing that is neither under way nor left out.</returns>
    public UnitRun? Next(TailFetcher fetcher, int most, Func<long, bool> isLeftOut)
    {
        lock (_gate)
        {
            while (_places.Count > 0)
            {
                (long unit, long left) = _places[^1];
                if (left > 0 && fetcher.ClaimAhead(unit, Math.Min(fetcher.UnitCount, unit + left), (int)Math.Min(most, left), isLeftOut) is { } near)
                {
                    long end = near.First + near.Fetches.Length;
                    _places[^1] = (end, left - (end - unit));
                    return near;
                }

                _places.RemoveAt(_places.Count - 1);
            }

            UnitRun? run = fetcher.ClaimAhead(_sweep, fetcher.UnitCount, most, isLeftOut) ?? fetcher.ClaimAhead(0, _sweep, most, isLeftOut);
            _sweep = run is null ? 0 : run.First + run.Fetches.Length;
            return run;
        }
    }
}
