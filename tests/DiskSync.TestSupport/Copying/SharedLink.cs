namespace DiskSync.TestSupport.Copying;

/// <summary>A link that several connections share evenly: what is on one of them arrives in order, what is on several does not.</summary>
/// <remarks>Times and what to call at a time are the owner's.</remarks>
/// <param name="connections">How many there are.</param>
/// <param name="rate">Bytes a second of all of them together, at a time.</param>
/// <param name="at">Has something called at a time.</param>
internal sealed class SharedLink(int connections, Func<double, double> rate, Action<double, Action> at)
{
    private readonly Queue<Action>[] _arrivals = [.. Enumerable.Range(0, connections).Select(_ => new Queue<Action>())];
    private readonly Queue<double>[] _left = [.. Enumerable.Range(0, connections).Select(_ => new Queue<double>())];
    private readonly double[] _sentOfFirst = new double[connections];
    private double _now;
    private int _changes;

    /// <summary>Hands bytes over to the connection that has least to do.</summary>
    public void Send(double time, long bytes, Action arrived)
    {
        Advance(time);
        int chosen = Enumerable.Range(0, connections).MinBy(c => _left[c].Sum() - _sentOfFirst[c]);
        _left[chosen].Enqueue(bytes);
        _arrivals[chosen].Enqueue(arrived);
        AwaitNext();
    }

    private double Share => rate(_now) / Math.Max(1, _left.Count(q => q.Count > 0));

    private void Advance(double time)
    {
        double bytes = (time - _now) * Share;
        for (int c = 0; c < connections; c++)
        {
            _sentOfFirst[c] += _left[c].Count > 0 ? bytes : 0;
        }

        _now = time;
    }

    private void AwaitNext()
    {
        int change = ++_changes;
        int next = Enumerable.Range(0, connections).Where(c => _left[c].Count > 0).MinBy(c => _left[c].Peek() - _sentOfFirst[c]);
        double time = _now + (Math.Max(0, _left[next].Peek() - _sentOfFirst[next]) / Share);
        at(time, () =>
        {
            if (change != _changes)
            {
                return;
            }

            Advance(time);
            _left[next].Dequeue();
            _sentOfFirst[next] = 0;
            Action arrived = _arrivals[next].Dequeue();
            if (_left.Any(q => q.Count > 0))
            {
                AwaitNext();
            }

            arrived();
        });
    }
}
