using System.Text.Json;
using DiskSync.Engine.Runs;

namespace DiskSync.Cli.Output;

/// <summary>One run in <c>disksync status --json</c>.</summary>
/// <param name="Id">What <c>disksync abort</c> takes.</param>
/// <param name="Command">push, migrate or receive.</param>
/// <param name="Alive">Whether its process lives; a run that does not was killed.</param>
/// <param name="Pid">Its process.</param>
/// <param name="Images">The images, or a receiver's root.</param>
/// <param name="Destination">The destination, or where a receiver listens.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="Phase">What it does.</param>
/// <param name="Round">The round, or 0.</param>
/// <param name="BytesDone">Image bytes of the phase done.</param>
/// <param name="BytesTotal">Image bytes of the phase.</param>
/// <param name="SentBytes">Bytes sent.</param>
/// <param name="LimitBytesPerSecond">The bandwidth limit; 0 for none.</param>
internal sealed record RunStatus(
    string Id,
    string Command,
    bool Alive,
    int Pid,
    IReadOnlyList<string> Images,
    string Destination,
    DateTimeOffset StartedAt,
    string Phase,
    int Round,
    long BytesDone,
    long BytesTotal,
    long SentBytes,
    long LimitBytesPerSecond)
{
    /// <summary>Builds the status of a run.</summary>
    public static RunStatus Of(RunRecord run, bool alive) => new(
        run.Id,
        run.Command,
        alive,
        run.Pid,
        run.Images,
        run.Destination,
        run.StartedAt,
        JsonNamingPolicy.KebabCaseLower.ConvertName(run.Phase),
        run.Round,
        run.BytesDone,
        run.BytesTotal,
        run.SentBytes,
        run.LimitBytesPerSecond);
}
