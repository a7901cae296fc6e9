namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync abort --json</c> prints.</summary>
/// <param name="Run">The run.</param>
/// <param name="Stopped">Whether it stopped because of this command.</param>
/// <param name="Message">What happened and what comes next.</param>
internal sealed record AbortReport(string Run, bool Stopped, string Message);
