using System.Globalization;

namespace DiskSync.Wanem;

/// <summary>What a direction did, in words.</summary>
internal static class Report
{
    /// <summary>One line for a direction that has ended.</summary>
    public static string Of(Forwarder forwarder)
    {
        LinkCounters c = forwarder.Counters;
        string late = c.Delivered == 0 ? string.Empty : string.Create(
            CultureInfo.InvariantCulture,
            $"; handed on {c.LateTotal / 1e3 / c.Delivered:F0} us late on average, {c.LateMost / 1e3:F0} us at most, {c.LateByMilliseconds} by more than 1 ms");
        string odd = (c.NoMemory, c.Refused) == (0, 0) ? string.Empty : $", {c.NoMemory} without memory, {c.Refused} not taken";
        return $"{forwarder.Name}: {c.Packets} packets, {c.Bytes} bytes in, {c.Delivered} out, {c.Lost} lost, "
            + $"{c.QueueFull} found the queue full, {c.Reordered} held back{odd}{late}";
    }
}
