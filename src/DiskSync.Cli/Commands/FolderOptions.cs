using System.CommandLine;
using DiskSync.Engine.Runs;

namespace DiskSync.Cli.Commands;

/// <summary>Where status, abort and clean look.</summary>
internal sealed class FolderOptions
{
    private readonly Option<string[]> _roots = new("--root")
    {
        Description = "look below this folder too; may be given several times",
        HelpName = "DIR",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_roots);
        command.Add(_state);
    }

    /// <summary>The state folder.</summary>
    public string State(ParseResult parse) => StateFolder.Resolve(parse.GetValue(_state));

    /// <summary>The folders named, and those of this host's receivers, each once.</summary>
    public IEnumerable<string> Roots(ParseResult parse, RunRegistry registry) => parse.GetValue(_roots)!
        .Concat(registry.List().Where(r => string.Equals(r.Command, "receive", StringComparison.Ordinal)).SelectMany(r => r.Images))
        .Select(Path.GetFullPath)
        .Distinct(StringComparer.Ordinal);
}
