namespace DiskSync.Engine;

/// <summary>Base of every failure that DiskSync reports to its user (safety rule 12).</summary>
/// <remarks>
/// <see cref="Exception.Message"/> says what happened, on which side, to which image at which offset;
/// <see cref="Advice"/> says what to do next. A caller's bug is never reported as one of these.
/// </remarks>
public class DiskSyncException : Exception
{
    /// <summary>Describes a failure.</summary>
    /// <param name="kind">Which exit code it leads to.</param>
    /// <param name="message">What happened: side, image, offset where there is one.</param>
    /// <param name="advice">The next thing to do, a sentence; empty where the message says it all.</param>
    /// <param name="inner">The cause, for the log.</param>
    public DiskSyncException(FailureKind kind, string message, string advice = "", Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        Advice = advice;
    }

    /// <summary>Which of the published exit codes the failure leads to.</summary>
    public FailureKind Kind { get; }

    /// <summary>The next thing to do; may be empty.</summary>
    public string Advice { get; }
}
