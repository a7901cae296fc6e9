using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Runs;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync status</c>: runs here, what is staged, what can be resumed.</summary>
internal sealed class StatusCommand : CliCommand
{
    private readonly FolderOptions _folders = new();
    private readonly Option<long?> _limit = SizeOption(
        "--limit", "change the bandwidth limit of the run named by --run, in bytes a second such as 50M; 0 for none");

    private readonly Option<string?> _run = new("--run") { Description = "the run whose limit is changed", HelpName = "ID" };

    /// <summary>Builds the command.</summary>
    public StatusCommand()
        : base("status")
    {
        _folders.AddTo(this);
        Add(_run);
        Add(_limit);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Lists the pushes, migrations and receivers that run on this host, with their progress, and what stands staged below "
        + "the folders of its receivers (and those named with --root): copies that a later run goes on with, left-overs, and "
        + "images that were handed over. Changes the bandwidth limit of a run with --run and --limit.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync status --root /srv/images", "what runs and what is staged"),
        ("disksync status --run push-4711 --limit 20M", "slow a push down"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string state = _folders.State(context.Parse);
        RunRegistry registry = new(state);
        if (context.Parse.GetValue(_limit) is { } limit)
        {
            string id = context.Parse.GetValue(_run)
                ?? throw new DiskSyncException(FailureKind.Usage, "--limit needs --run", "'disksync status' lists the runs.");
            RunRecord run = registry.List().FirstOrDefault(r => string.Equals(r.Id, id, StringComparison.Ordinal) && RunRegistry.IsAlive(r))
                ?? throw new DiskSyncException(FailureKind.Usage, $"no run is named '{id}'", "'disksync status' lists the runs.");
            registry.SetLimit(run.Id, limit);
        }

        StatusReport report = new(
            [.. registry.List().Select(r => RunStatus.Of(r, RunRegistry.IsAlive(r)))],
            [.. _folders.Roots(context.Parse, registry).SelectMany(StagedCopies.Find).Select(Describer(state)).Select(StagedStatus.Of)]);
        context.Output.Result(report, json => json.StatusReport, report.Write);
        return Task.FromResult(ExitCodes.Done);
    }

    private static Func<StagedCopy, StagedCopy> Describer(string state)
    {
        try
        {
            return new StagedCopyGuard(state).Describe;
        }
        catch (DiskSyncException)
        {
            // Damaged, or not ours to read: 'owner' and 'clean' say so; what runs here can be told all the same.
            return copy => copy;
        }
    }
}
