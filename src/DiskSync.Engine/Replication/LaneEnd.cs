namespace DiskSync.Engine.Replication;

/// <summary>How one connection of a session came to its end at the destination.</summary>
internal enum LaneEnd
{
    /// <summary>The source ended it.</summary>
    Ended,

    /// <summary>It broke; the source may come back.</summary>
    Lost,

    /// <summary>One of the sides gave up, or the receiver was stopped: that is the end of the session.</summary>
    Failed,
}
