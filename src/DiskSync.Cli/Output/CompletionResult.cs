namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync completion</c>.</summary>
/// <param name="Shell">The shell.</param>
/// <param name="Script">The script.</param>
internal sealed record CompletionResult(string Shell, string Script);
