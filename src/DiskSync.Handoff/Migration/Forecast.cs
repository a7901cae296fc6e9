namespace DiskSync.Handoff.Migration;

/// <summary>What the pause is expected to take, part by part.</summary>
/// <param name="Scan">Reading and hashing the source: allocated bytes over the measured rate.</param>
/// <param name="Delta">Sending what will have changed: the last round's changes, scaled to the scan's time, over the measured rate.</param>
/// <param name="Flush">Flushing and reading back the last delta at the destination.</param>
/// <param name="Hooks">Pausing and resuming: what each command took when it last ran, or a guess.</param>
/// <param name="HooksAreGuessed">Whether one of the commands has not been run from here yet.</param>
public readonly record struct Forecast(TimeSpan Scan, TimeSpan Delta, TimeSpan Flush, TimeSpan Hooks, bool HooksAreGuessed)
{
    /// <summary>The whole downtime.</summary>
    public TimeSpan Total => Scan + Delta + Flush + Hooks;
}
