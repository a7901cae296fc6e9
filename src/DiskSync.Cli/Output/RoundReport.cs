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
/// <param name="KeptAs">With --keep-rounds where the copy is kept as it was then; absent where it is not.</param>
/// <param name="KeptRoot">The root of that.</param>
/// <param name="NotKeptBecause">Why it is not kept, where that was asked for.</param>
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
    long BytesReceived,
    string? KeptAs,
    string? KeptRoot,
    string? NotKeptBecause)
{
    /// <summary>Says what became of a round that was to be kept.</summary>
    public void WriteKept(TextWriter output)
    {
        if (KeptAs is not null)
        {
            output.WriteLine($"    kept as       {KeptAs}, root {KeptRoot}");
        }
        else if (NotKeptBecause is not null)
        {
            output.WriteLine($"    not kept      {NotKeptBecause}");
        }
    }

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
        round.BytesReceived,
        round.Kept is { Path.Length: > 0 } kept ? kept.Path : null,
        round.Kept is { Path.Length: > 0 } rooted ? rooted.Root.ToString() : null,
        round.Kept is { Why.Length: > 0 } failed ? failed.Why : null);
}
