using DiskSync.Cli.Help;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync manual</c>: the manual page.</summary>
internal sealed class ManualCommand : CliCommand
{
    /// <summary>Builds the command.</summary>
    public ManualCommand()
        : base("manual")
    {
    }

    /// <inheritdoc/>
    public override string Details =>
        "Prints the manual page of disksync and all its commands as roff, which man(1) shows. tools/install installs it.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync manual | man -l -", "read it"),
        ("disksync manual > /usr/local/share/man/man1/disksync.1", "install it"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        using var page = new StringWriter();
        ManPage.Write(page);
        string text = page.ToString();
        context.Output.Result(new ManualResult(text), json => json.ManualResult, output => output.Write(text));
        return Task.FromResult(ExitCodes.Done);
    }
}
