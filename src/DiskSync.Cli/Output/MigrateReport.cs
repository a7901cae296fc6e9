using DiskSync.Engine;
using DiskSync.Handoff.Migration;

namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync migrate --json</c> prints.</summary>
/// <param name="Images">The sources as the user named them.</param>
/// <param name="Destination">The destination as the user named it.</param>
/// <param name="Attempt">The attempt's id.</param>
/// <param name="Epoch">The epoch that the destination owns.</param>
/// <param name="Roots">The images' root hashes, proven equal on both sides.</param>
/// <param name="Identical">Whether the images were equal when they were handed over: all of them, but with a tail (a migration whose proof fails is an error).</param>
/// <param name="SourceBases">For each image on what it rests that the source is what was sent: a hash scan, or a tracker and audited blocks.</param>
/// <param name="Bases">The bases that the copies started from; empty texts where there was none.</param>
/// <param name="Rounds">All rounds, the final delta of each image last.</param>
/// <param name="ForecastSeconds">The forecast of the downtime.</param>
/// <param name="MaxDowntimeSeconds">The downtime that was accepted.</param>
/// <param name="ProofSeconds">The proof before the pause.</param>
/// <param name="PauseSeconds">The pause command; with --qemu, until QEMU had drained its disks.</param>
/// <param name="FinalDeltaSeconds">The scan and delta in the pause.</param>
/// <param name="VerifySeconds">Flush, read back and comparison of the roots in the pause.</param>
/// <param name="MemorySeconds">What was left of the machine's memory, sent in the pause; 0 where none moves.</param>
/// <param name="HandOverSeconds">From Prepare to the destination's durable OWNER.</param>
/// <param name="ResumeSeconds">Naming, sealing and the resume command.</param>
/// <param name="DowntimeSeconds">From the start of the pause to the end of the resume command.</param>
/// <param name="FullVerifySeconds">Reading all of the source again after the machine was resumed; 0 where it was not asked for.</param>
/// <param name="TailBytes">Bytes that were still here when the machine ran at the destination; 0 where none were.</param>
/// <param name="TailSeconds">From then until the destination had all.</param>
/// <param name="TotalSeconds">All of it, but reading the source again.</param>
/// <param name="BytesSent">Bytes to the destination.</param>
/// <param name="BytesReceived">Bytes from the destination.</param>
/// <param name="Codecs">What went with which codec, the most used one first.</param>
internal sealed record MigrateReport(
    IReadOnlyList<string> Images,
    string Destination,
    Guid Attempt,
    ulong Epoch,
    IReadOnlyList<string> Roots,
    bool Identical,
    IReadOnlyList<string> SourceBases,
    IReadOnlyList<string> Bases,
    IReadOnlyList<RoundReport> Rounds,
    double ForecastSeconds,
    double MaxDowntimeSeconds,
    double ProofSeconds,
    double PauseSeconds,
    double FinalDeltaSeconds,
    double VerifySeconds,
    double MemorySeconds,
    double HandOverSeconds,
    double ResumeSeconds,
    double DowntimeSeconds,
    double FullVerifySeconds,
    long TailBytes,
    double TailSeconds,
    double TotalSeconds,
    long BytesSent,
    long BytesReceived,
    IReadOnlyList<CodecReport> Codecs)
{
    /// <summary>Builds the report of a migration.</summary>
    public static MigrateReport Of(IReadOnlyList<string> images, string destination, MigrationResult result) => new(
        images,
        destination,
        result.Attempt,
        result.Epoch,
        [.. result.Roots.Select(r => r.ToString())],
        result.TailBytes == 0,
        result.SourceBases,
        result.Bases,
        [.. result.Rounds.SelectMany((rounds, i) => rounds.Select(r => RoundReport.Of(i, r)))],
        Seconds(result.Forecast.Total),
        Seconds(result.MaxDowntime),
        Seconds(result.Proof),
        Seconds(result.Pause),
        Seconds(result.FinalDelta),
        Seconds(result.FinalProof),
        Seconds(result.Memory),
        Seconds(result.HandOver),
        Seconds(result.Resume),
        Seconds(result.Downtime),
        Seconds(result.FullVerify),
        result.TailBytes,
        Seconds(result.Tail),
        Seconds(result.Total),
        result.BytesSent,
        result.BytesReceived,
        CodecReport.Of(result.Rounds.SelectMany(r => r)));

    /// <summary>Prints the report for people: the parts of the paper's Table 1.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine($"{string.Join(", ", Images)} moved to {Destination}: epoch {Epoch}, {(Identical ? "identical" : "whole")}");
        for (int i = 0; i < Roots.Count; i++)
        {
            output.WriteLine(
                (Identical ? $"  root            {Roots[i]}" : "  root            not known: the machine has written while parts were missing")
                + (Bases[i].Length > 0 ? $" (started from {Bases[i]})" : string.Empty));
            output.WriteLine($"  proof           source: {SourceBases[i]}; destination: read back");
        }

        foreach (RoundReport round in Rounds)
        {
            output.WriteLine($"  round {round.Round,-9} {round.Seconds,7:0.00} s  changed {ByteSize.Format(round.ChangedBytes)}, sent {ByteSize.Format(round.BytesSent)}"
                + (Images.Count > 1 ? $"  ({Images[round.Image]})" : string.Empty));
            round.WriteKept(output);
        }

        output.WriteLine($"  pause           {PauseSeconds,7:0.00} s");
        output.WriteLine($"  final delta     {FinalDeltaSeconds,7:0.00} s");
        output.WriteLine($"  final verify    {VerifySeconds,7:0.00} s");
        if (MemorySeconds > 0)
        {
            output.WriteLine($"  final memory    {MemorySeconds,7:0.00} s");
        }

        output.WriteLine($"  hand-over       {HandOverSeconds,7:0.00} s");
        output.WriteLine($"  resume          {ResumeSeconds,7:0.00} s");
        output.WriteLine($"  downtime        {DowntimeSeconds,7:0.00} s  (forecast {ForecastSeconds:0.00} s)");
        if (FullVerifySeconds > 0)
        {
            output.WriteLine($"  full verify     {FullVerifySeconds,7:0.00} s  (the machine runs: all of the source read again, identical)");
        }

        if (TailBytes > 0)
        {
            output.WriteLine($"  tail            {TailSeconds,7:0.00} s  {ByteSize.Format(TailBytes)} fetched from here after the hand-over");
        }

        output.WriteLine($"  total           {TotalSeconds,7:0.00} s  sent {ByteSize.Format(BytesSent)}, received {ByteSize.Format(BytesReceived)}");
        if (Codecs.Count > 0)
        {
            output.WriteLine($"  encoded         {CodecReport.Line(Codecs)}");
        }
    }

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 3);
}
