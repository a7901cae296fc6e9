using DiskSync.Engine.Replication;

namespace DiskSync.Cli.Output;

/// <summary>One round in a report.</summary>
/// <param name="Image">The image's place in the command line, from 0.</param>
/// <param name="Round">The round, from 1.</param>
/// <param name="DirtySource">By what it was known what to look at.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="BytesRead">Bytes read from the source.</param>
/// <param name="BlocksChanged">Blocks that the destination did not hold.</param>
/// <param name="ChangedBytes">Their bytes, zeros left out.</param>
/// <param name="PayloadBytes">Payload before compression.</param>
/// <param name="BytesSent">Bytes to the destination, everything included.</param>
/// <param name="BytesReceived">Bytes from it.</param>
internal sealed record RoundReport(
    int Image,
    int Round,
    string DirtySource,
    double Seconds,
    long BytesRead,
    long BlocksChanged,
    long ChangedBytes,
    long PayloadBytes,
    long BytesSent,
    long BytesReceived)
{
    /// <summary>Builds the report of a round.</summary>
    public static RoundReport Of(int image, RoundResult round) => new(
        image,
        round.Round,
        round.DirtySource,
        Math.Round(round.Elapsed.TotalSeconds, 3),
        round.BytesRead,
        round.BlocksChanged,
        round.ChangedBytes,
        round.PayloadBytes,
        round.BytesSent,
        round.BytesReceived);
}
