namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync receive --listen --json</c> prints when it is stopped.</summary>
/// <param name="Listened">Where it listened.</param>
/// <param name="Connections">How many connections it has served.</param>
internal sealed record ReceiveReport(IReadOnlyList<string> Listened, int Connections);
