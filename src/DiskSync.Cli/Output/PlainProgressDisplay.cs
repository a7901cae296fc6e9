using System.Diagnostics;
using DiskSync.Engine.Progress;

namespace DiskSync.Cli.Output;

/// <summary>A plain line at each new phase and every ten seconds, for logs and cron mails.</summary>
internal sealed class PlainProgressDisplay(CommandOutput output)
    : ProgressDisplay(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1))
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private long _lastLine;

    /// <inheritdoc/>
    protected override void Show(CopyProgress progress, double rate, double? secondsLeft, bool newPhase)
    {
        if (!newPhase && Stopwatch.GetElapsedTime(_lastLine) < Every)
        {
            return;
        }

        _lastLine = Stopwatch.GetTimestamp();
        output.ErrorLine($"disksync: {PhaseNames.Text(progress)}: {ProgressText.Line(progress, rate, secondsLeft)}");
    }
}
