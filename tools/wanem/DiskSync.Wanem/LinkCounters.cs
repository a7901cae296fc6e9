namespace DiskSync.Wanem;

/// <summary>What became of the packets of one direction; written by its thread, read when that has ended.</summary>
internal sealed class LinkCounters
{
    /// <summary>Packets that came in.</summary>
    public long Packets { get; set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; set; }

    /// <summary>Packets handed on.</summary>
    public long Delivered { get; set; }

    /// <summary>Packets lost, as asked for.</summary>
    public long Lost { get; set; }

    /// <summary>Packets that found the queue full.</summary>
    public long QueueFull { get; set; }

    /// <summary>Packets held back, as asked for.</summary>
    public long Reordered { get; set; }

    /// <summary>Packets for which there was no memory: what was asked for holds more than <c>--memory</c>.</summary>
    public long NoMemory { get; set; }

    /// <summary>Packets that the other interface did not take: it was down.</summary>
    public long Refused { get; set; }

    /// <summary>How late packets were handed on, all together, in nanoseconds: this program's own error.</summary>
    public long LateTotal { get; set; }

    /// <summary>The latest.</summary>
    public long LateMost { get; set; }

    /// <summary>Packets handed on more than a millisecond late.</summary>
    public long LateByMilliseconds { get; set; }
}
