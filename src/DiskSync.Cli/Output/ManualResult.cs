namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync manual</c>.</summary>
/// <param name="Roff">The manual page.</param>
internal sealed record ManualResult(string Roff);
