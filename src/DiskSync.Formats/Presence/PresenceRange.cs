namespace DiskSync.Formats.Presence;

/// <summary>Parts of an image in a row.</summary>
/// <param name="First">The first part's number.</param>
/// <param name="Count">How many.</param>
public readonly record struct PresenceRange(long First, long Count)
{
    /// <summary>The number after the last part's.</summary>
    public long End => First + Count;
}
