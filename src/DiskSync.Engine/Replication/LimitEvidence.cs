namespace DiskSync.Engine.Replication;

/// <summary>Tells whether a copy that has to wait waits for the link or for the destination.</summary>
/// <remarks>
/// What is encoded better or worse changes the share of bytes on the wire and bytes of blocks; of the two rates, the one
/// that stays the same meanwhile is the limit. Both are measured with some chance in them, so what speaks for the
/// destination adds up: much at once, as when the codec changed, or often. Not thread safe.
/// </remarks>
internal sealed class LimitEvidence
{
    // Squares of logarithms: of a change by a factor of 1.8, or of several smaller ones.
    private const double Enough = 0.35;
    private const double Most = 0.7;
    private const double UnrestKept = 0.8;
    private const double LeastUnrest = 0.02;
    private const int EnoughSteps = 3;

    // Logarithm of a change of the share that says something by itself.
    private const double MuchChange = 0.2;

    private double _sum;
    private double _wireUnrest;
    private double _payloadUnrest;
    private int _steps;

    /// <summary>Whether it is more likely the destination.</summary>
    public bool IsMoreForDestination => _sum > 0;

    /// <summary>Whether it is the destination, as far as can be known.</summary>
    public bool IsForDestination => _sum > Enough
        || (_steps >= EnoughSteps && _wireUnrest > LeastUnrest && _payloadUnrest < _wireUnrest / 10);

    /// <summary>Takes note of two measurements that follow each other.</summary>
    /// <param name="before">The rates in bytes on the wire and in bytes of payload, more than 0.</param>
    /// <param name="now">The same, later.</param>
    /// <returns>Whether their share has changed much.</returns>
    public bool Observe((double Wire, double Payload) before, (double Wire, double Payload) now)
    {
        double wire = Math.Log(now.Wire / before.Wire);
        double payload = Math.Log(now.Payload / before.Payload);
        double share = Math.Abs(wire - payload);

        // What chance did to both is the same in both, and says nothing beyond what the share explains.
        double found = Math.Clamp((wire * wire) - (payload * payload), -share * share, share * share);
        _sum = Math.Clamp(_sum + found, -Most, Most);
        _wireUnrest = (_wireUnrest * UnrestKept) + (wire * wire);
        _payloadUnrest = (_payloadUnrest * UnrestKept) + (payload * payload);
        _steps++;
        return share > MuchChange;
    }

    /// <summary>Starts anew.</summary>
    public void Forget() => (_sum, _wireUnrest, _payloadUnrest, _steps) = (0, 0, 0, 0);
}
