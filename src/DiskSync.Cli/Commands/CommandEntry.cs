namespace DiskSync.Cli.Commands;

/// <summary>A command as the catalogue lists it, before (and mostly without) building it.</summary>
/// <param name="Name">The word typed.</param>
/// <param name="Group">The heading it is listed under.</param>
/// <param name="Synopsis">Its arguments in short: <c>BASE IMAGE</c>.</param>
/// <param name="Summary">One line, no full stop.</param>
/// <param name="Create">Builds the command with its options.</param>
internal sealed record CommandEntry(
    string Name, CommandGroup Group, string Synopsis, string Summary, Func<CliCommand> Create);
