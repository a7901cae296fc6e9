using System.Text.Json.Serialization;
using DiskSync.Engine.Progress;

namespace DiskSync.Cli.Output;

/// <summary>Progress as a JSON line on standard error.</summary>
/// <param name="Phase">The phase in kebab case: "bulk-copy".</param>
/// <param name="Image">The image, where the phase concerns one.</param>
/// <param name="Round">The round, from 1; 0 where there is none.</param>
/// <param name="BytesDone">Image bytes dealt with.</param>
/// <param name="BytesTotal">Image bytes of the phase; 0 where unknown.</param>
/// <param name="DirtyBlocks">Blocks that differ or may; absent where unknown.</param>
/// <param name="RawBytes">Bytes sent before compression.</param>
/// <param name="SentBytes">Bytes sent.</param>
/// <param name="BytesPerSecond">Image bytes a second.</param>
/// <param name="SecondsLeft">Forecast; absent where unknown.</param>
internal sealed record ProgressEvent(
    string Phase,
    string? Image,
    int Round,
    long BytesDone,
    long BytesTotal,
    long? DirtyBlocks,
    long RawBytes,
    long SentBytes,
    long BytesPerSecond,
    double? SecondsLeft)
{
    /// <summary>What tells this line from the others.</summary>
    [JsonPropertyOrder(-1)]
    public string Event { get; } = "progress";

    /// <summary>Makes the line from a snapshot.</summary>
    public static ProgressEvent From(CopyProgress snapshot, double rate, double? secondsLeft) => new(
        PhaseNames.Json(snapshot.Phase),
        snapshot.Image,
        snapshot.Round,
        snapshot.BytesDone,
        snapshot.BytesTotal,
        snapshot.DirtyBlocks < 0 ? null : snapshot.DirtyBlocks,
        snapshot.RawBytes,
        snapshot.SentBytes,
        (long)rate,
        secondsLeft is { } left ? Math.Round(left, 1) : null);
}
