using DiskSync.Engine.Progress;

namespace DiskSync.Cli.Output;

/// <summary>One JSON line a second on standard error.</summary>
internal sealed class JsonProgressDisplay(CommandOutput output)
    : ProgressDisplay(TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1))
{
    /// <inheritdoc/>
    protected override void Show(CopyProgress progress, double rate, double? secondsLeft, bool newPhase) =>
        output.ErrorLine(CliJson.Line(
            ProgressEvent.From(progress, rate, secondsLeft), CliJson.Default.ProgressEvent));
}
