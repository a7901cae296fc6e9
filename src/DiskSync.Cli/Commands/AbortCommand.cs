using System.CommandLine;
using System.Diagnostics;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Runs;
using DiskSync.Linux;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync abort</c>: stops a run as Ctrl-C would.</summary>
internal sealed class AbortCommand : CliCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Argument<string> _run = new("RUN") { Description = "the run's id, as 'disksync status' lists it" };
    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Builds the command.</summary>
    public AbortCommand()
        : base("abort")
    {
        Add(_run);
        Add(_state);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Asks a run to stop, as Ctrl-C would: what is durable at the destination is kept, a machine that was paused is "
        + "unpaused, and the same command run again goes on from there. A hand-over that has begun is not stopped: it ends by "
        + "itself within seconds, one way or the other.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples => [("disksync abort push-4711", "stop that push")];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string id = context.Parse.GetRequiredValue(_run);
        RunRegistry registry = new(StateFolder.Resolve(context.Parse.GetValue(_state)));
        RunRecord run = registry.List().FirstOrDefault(r => string.Equals(r.Id, id, StringComparison.Ordinal))
            ?? throw new DiskSyncException(FailureKind.Usage, $"no run is named '{id}'", "'disksync status' lists the runs.");
        if (!RunRegistry.IsAlive(run))
        {
            registry.Forget(run.Id);
            return Print(context, new AbortReport(id, false, "it was killed before; run its command again to go on"));
        }

        ProcessSignal.Terminate(run.Pid);
        long start = Stopwatch.GetTimestamp();
        while (RunRegistry.IsAlive(run) && Stopwatch.GetElapsedTime(start) < Patience)
        {
            await Task.Delay(50, cancellation);
        }

        return Print(context, RunRegistry.IsAlive(run)
            ? new AbortReport(id, false, $"asked to stop; it still finishes something after {Patience.TotalSeconds:0} s")
            : new AbortReport(id, true, "stopped; run its command again to go on"));
    }

    private static int Print(CommandContext context, AbortReport report)
    {
        context.Output.Result(report, json => json.AbortReport, output => output.WriteLine($"{report.Run}: {report.Message}"));
        return ExitCodes.Done;
    }
}
