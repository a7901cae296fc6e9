namespace DiskSync.TestSupport.Copying;

/// <summary>A clock that shows what a simulation says.</summary>
public sealed class VirtualTime : TimeProvider
{
    private const double TicksPerSecond = 1e9;

    /// <summary>Seconds since the start.</summary>
    public double Seconds { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => (long)TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => (long)(Seconds * TicksPerSecond);
}
