using System.Diagnostics;
using DiskSync.Engine;
using DiskSync.Handoff.Hooks;

namespace DiskSync.Handoff.Hypervisors;

/// <summary>How a step of a machine ended.</summary>
/// <param name="Succeeded">The machine is as it was asked to be.</param>
/// <param name="ExitCode">The exit code where a command ran; 0 for other successes and -1 for other failures.</param>
/// <param name="Output">The end of what a command printed, or the problem.</param>
/// <param name="Problem">For an error message, without a full stop: what went wrong; empty for a success.</param>
public sealed record MachineResult(bool Succeeded, int ExitCode, string Output, string Problem)
{
    /// <summary>Nothing had to be done.</summary>
    public static MachineResult Done => new(true, 0, string.Empty, string.Empty) { Since = Stopwatch.GetTimestamp() };

    /// <summary>For a pause: since when the machine stands still, as a timestamp.</summary>
    public long Since { get; init; }

    /// <summary>Which exit code a failure leads to, where it is not that of the side.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>The result of a command.</summary>
    /// <param name="what">What it was: "the pause command".</param>
    /// <param name="result">How it ended.</param>
    public static MachineResult Of(string what, HookResult result) => new(
        result.Succeeded,
        result is { Succeeded: false, ExitCode: 0 } ? -1 : result.ExitCode,
        result.TimedOut ? result.Describe() : result.Output,
        result.Succeeded ? string.Empty : $"{what} {result.Describe()}");

    /// <summary>A failure in words.</summary>
    public static MachineResult Failed(string problem) => new(false, -1, problem, problem);

    /// <summary>A failure that a step threw.</summary>
    public static MachineResult Failed(DiskSyncException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        string advice = failure.Advice.TrimEnd('.');
        return Failed(advice.Length == 0 ? failure.Message : $"{failure.Message.TrimEnd('.')}. {advice}") with { Kind = failure.Kind };
    }
}
