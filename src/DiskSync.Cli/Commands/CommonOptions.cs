using System.CommandLine;

namespace DiskSync.Cli.Commands;

/// <summary>The options that every command has.</summary>
internal sealed class CommonOptions
{
    /// <summary><c>--json</c>.</summary>
    public Option<bool> Json { get; } = new("--json")
    {
        Description = "print one JSON object on standard output; progress, warnings and errors become JSON lines on standard error",
    };

    /// <summary><c>--quiet</c>.</summary>
    public Option<bool> Quiet { get; } = new("--quiet", "-q")
    {
        Description = "print errors only (and the JSON object, where --json asks for it)",
    };

    /// <summary><c>--verbose</c>.</summary>
    public Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "log every step, with event ids, on standard error",
    };

    /// <summary><c>--help</c>.</summary>
    public Option<bool> Help { get; } = new("--help", "-h")
    {
        Description = "show this help",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(Json);
        command.Add(Quiet);
        command.Add(Verbose);
        command.Add(Help);
    }
}
