using System.Globalization;

namespace DiskSync.Handoff.Migration;

/// <summary>What the user is told of an on-demand tail, before the pause and after the hand-over.</summary>
internal static class TailText
{
    /// <summary>That the machine depends on two hosts for a while.</summary>
    /// <param name="bytes">What is missing at the destination, or will be.</param>
    /// <param name="rate">Image bytes a second that the link carries.</param>
    public static string Warning(long bytes, double rate) => string.Create(
        CultureInfo.InvariantCulture,
        $"The VM will depend on both hosts until {bytes / (double)(1L << 30):0.00} GiB have been fetched, about {Time(bytes / rate)} at {rate / (1 << 20):0.0} MiB/s. If the source or the link fails before that, the VM waits; if the source is lost for good, so is what had not been fetched.");

    private static string Time(double seconds) => seconds switch
    {
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, seconds):0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
