using System.CommandLine;
using DiskSync.Cli.Help;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync completion</c>: the script that makes a shell complete disksync's command lines.</summary>
internal sealed class CompletionCommand : CliCommand
{
    private readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh or fish" };

    /// <summary>Builds the command.</summary>
    public CompletionCommand()
        : base("completion")
    {
        _shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Add(_shell);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Prints a script that completes commands, options and file names. The script asks disksync itself "
        + "what fits, so it never lags behind the program.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("eval \"$(disksync completion bash)\"", "in ~/.bashrc: completion in every new bash"),
        ("disksync completion zsh > ~/.zfunc/_disksync", "for zsh, where ~/.zfunc is in fpath"),
        ("disksync completion fish > ~/.config/fish/completions/disksync.fish", "for fish"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string shell = context.Parse.GetRequiredValue(_shell);
        string script = CompletionScripts.For(shell);
        context.Output.Result(
            new CompletionResult(shell, script), json => json.CompletionResult, output => output.Write(script));
        return Task.FromResult(ExitCodes.Done);
    }
}
