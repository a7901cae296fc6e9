using System.Text.Json;
using DiskSync.Engine.Progress;

namespace DiskSync.Cli.Output;

/// <summary>The phases in words.</summary>
internal static class PhaseNames
{
    /// <summary>For people: "bulk copy", "delta round 2".</summary>
    public static string Text(CopyProgress progress)
    {
        string name = progress.Phase switch
        {
            CopyPhase.BulkCopy => "bulk copy",
            CopyPhase.DeltaRound => "delta round",
            CopyPhase.FinalDelta => "final delta",
            CopyPhase.HandOver => "hand-over",
            CopyPhase.Hook => "running hook",
            CopyPhase.Tail => "fetched there",
            _ => progress.Phase.ToString(),
        };

        return progress.Phase == CopyPhase.DeltaRound && progress.Round > 0
            ? $"{name} {progress.Round}"
            : char.ToLowerInvariant(name[0]) + name[1..];
    }

    /// <summary>For programs: kebab case.</summary>
    public static string Json(CopyPhase phase) => JsonNamingPolicy.KebabCaseLower.ConvertName(phase.ToString());
}
