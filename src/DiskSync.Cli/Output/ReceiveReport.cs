namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync receive --listen --json</c> prints when it is stopped.</summary>
/// <param name="Socket">Where it listened.</param>
/// <param name="Sessions">How many sessions it has served.</param>
internal sealed record ReceiveReport(string Socket, int Sessions);
