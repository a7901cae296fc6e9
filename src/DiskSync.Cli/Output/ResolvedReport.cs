namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync migrate --json</c> prints where it completed an attempt that an earlier run had begun.</summary>
/// <param name="Images">The sources as the user named them.</param>
/// <param name="CompletedEarlierAttempt">Always true.</param>
/// <param name="Epoch">The epoch that the destination owns.</param>
/// <param name="Message">What was done.</param>
internal sealed record ResolvedReport(IReadOnlyList<string> Images, bool CompletedEarlierAttempt, ulong Epoch, string Message);
