namespace DiskSync.Wanem;

/// <summary>What becomes of a packet that enters a link.</summary>
internal enum Verdict
{
    /// <summary>It arrives after those before it.</summary>
    InOrder,

    /// <summary>It arrives late; those behind it may overtake it.</summary>
    Late,

    /// <summary>It is lost, as the link loses packets.</summary>
    Lost,

    /// <summary>It finds the queue full and is dropped.</summary>
    QueueFull,
}
