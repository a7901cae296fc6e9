namespace DiskSync.Engine.Tail;

/// <summary>How an image is served of which parts are still at its source.</summary>
public sealed record TailedImageOptions
{
    /// <summary>Whether reads of missing parts fail at first while there is no link, instead of waiting.</summary>
    public bool FailMissing { get; init; }

    /// <summary>How long the source may leave a read unanswered before its connection counts as lost.</summary>
    public TimeSpan ReplyLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait before it is tried again to have the image recorded as whole.</summary>
    public TimeSpan CompleteAgain { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock of all that.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Told what the operator should know; from any thread.</summary>
    public Action<string> Tell { get; init; } = static _ => { };
}
