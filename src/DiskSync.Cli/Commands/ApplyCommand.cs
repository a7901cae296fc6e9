using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Comparison;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync apply FILE TARGET</c>: turns a copy of the delta's base into the delta's image.</summary>
internal sealed class ApplyCommand : CliCommand
{
    private readonly Argument<string> _delta = new("FILE") { Description = "the delta" };
    private readonly Argument<string> _target = ImageArguments.Image("TARGET", "a copy of the delta's base; changed in place");
    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Builds the command.</summary>
    public ApplyCommand()
        : base("apply")
    {
        Add(_delta);
        Add(_target);
        Add(_state);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Turns a copy of the delta's base into the delta's image, in place. Before the first write the whole delta is "
        + "checked, and the whole target: it must be the base, or what an interrupted run left; anything else is refused "
        + "with exit code 6 and nothing is written. Afterwards the whole target is read again and must have the image's "
        + "root hash.\n\n"
        + "Interrupted or killed at any moment, it is finished by running it again. Until then a note beside the target, "
        + "TARGET.applying, says that it is neither base nor image.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync apply monday.delta copy.img", "copy.img becomes the image that monday.delta was made of"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string delta = context.Parse.GetRequiredValue(_delta);
        string target = context.Parse.GetRequiredValue(_target);
        long start = Stopwatch.GetTimestamp();
        ApplyResult result;
        try
        {
            result = DeltaApplier.Apply(
                delta, target, new ComparisonOptions { Progress = context.Progress }, context.Parse.GetValue(_state), cancellation);
        }
        catch (OperationCanceledException stopped) when (cancellation.IsCancellationRequested)
        {
            throw new DiskSyncException(
                FailureKind.Interrupted,
                $"destination {target}: interrupted",
                $"Run it again to go on: disksync apply {delta} {target}",
                stopped);
        }

        context.EndProgress();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var report = new ApplyReport(
            delta,
            target,
            result.Summary.NewGeometry.Length,
            result.Summary.NewRoot.ToString(),
            result.Summary.NewGeometry.Granularity,
            result.WrittenBlocks,
            result.SkippedBlocks,
            result.Resumed,
            Math.Round(seconds, 3));
        context.Output.Result(report, json => json.ApplyReport, output => Print(output, report));
        return Task.FromResult(ExitCodes.Done);
    }

    private static void Print(TextWriter output, ApplyReport report)
    {
        string skipped = report.SkippedBlocks > 0
            ? string.Create(CultureInfo.InvariantCulture, $", {report.SkippedBlocks:N0} were new already")
            : string.Empty;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Target}: {report.WrittenBlocks:N0} blocks written{skipped}; verified ({ProgressText.Duration(report.Seconds)})"));
        output.WriteLine($"  root hash  {report.Root}");
    }
}
