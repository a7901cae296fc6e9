namespace DiskSync.TestSupport.Copying;

/// <summary>A way from a source to a destination.</summary>
/// <param name="BytesPerSecond">The link's rate; one batch after the other takes its turn.</param>
/// <param name="RoundTrip">The link's round trip in seconds.</param>
/// <param name="DestinationBytesPerSecond">How fast the destination writes, in bytes of blocks; infinite for no limit.</param>
/// <param name="RateAt">The link's rate at a time, where it changes; else null.</param>
/// <param name="Connections">How many connections share the link; more than one bring batches in any order.</param>
/// <param name="SharedProcessors">The share of the time for encoding that those who send lack, because the processors are the limit.</param>
public sealed record SimulatedPath(
    double BytesPerSecond,
    double RoundTrip = 0.0002,
    double DestinationBytesPerSecond = double.PositiveInfinity,
    Func<double, double>? RateAt = null,
    int Connections = 1,
    double SharedProcessors = 0);
