namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync export --json</c> prints when it is stopped.</summary>
/// <param name="Image">The image.</param>
/// <param name="Name">By which clients asked for it.</param>
/// <param name="ReadOnly">Whether it could not be written.</param>
/// <param name="Listened">Where it listened.</param>
/// <param name="Connections">How many connections there have been.</param>
internal sealed record ExportReport(string Image, string Name, bool ReadOnly, IReadOnlyList<string> Listened, int Connections);
