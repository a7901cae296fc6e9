using System.Globalization;
using DiskSync.Engine.Replication;
using DiskSync.TestSupport.Copying;

namespace DiskSync.Bench.CodecChoice;

/// <summary>The automatic choice beside every fixed one, over links of many rates: a Markdown table.</summary>
/// <remarks>
/// The compressors really run, on one thread, and their processor time is taken; the copies then run in virtual time
/// with the real policy. So neither other work on the machine nor chance decides the comparison.
/// </remarks>
internal static class CodecChoiceReport
{
    private static readonly BatchCodec[] Fixed =
    [
        BatchCodec.Raw, BatchCodec.Lz4, BatchCodec.Zstd(1), BatchCodec.Zstd(3), BatchCodec.Zstd(6), BatchCodec.Zstd(9),
        BatchCodec.Zstd(18),
    ];

    /// <summary>Writes the table for one file.</summary>
    /// <param name="data">Its content.</param>
    /// <param name="batches">The least batches of 1 MiB to copy; a shorter file is copied several times over.</param>
    /// <param name="output">Where to.</param>
    public static void Write(byte[] data, int batches, TextWriter output)
    {
        using var costs = new MeasuredCosts(data, batches);
        WriteCodecs(costs, output);
        output.WriteLine($"| link | {string.Join(" | ", Fixed)} | auto | auto to best | auto's codecs |");
        output.WriteLine($"| --- |{string.Concat(Enumerable.Repeat(" ---: |", Fixed.Length + 2))} --- |");
        foreach ((string name, SimulatedPath path, double expected) in Paths())
        {
            CopyOutcome[] outcomes = [.. Fixed.Select(c => CopySimulation.Run(costs, path, CompressionMode.Of(c), expected))];
            CopyOutcome auto = CopySimulation.Run(costs, path, CompressionMode.Auto, expected);
            double ratio = auto.Seconds / outcomes.Min(o => o.Seconds);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {string.Join(" | ", outcomes.Select(Cell))} | {Cell(auto)} | {ratio:0.000} | {Uses(auto)} |"));
        }
    }

    private static void WriteCodecs(MeasuredCosts costs, TextWriter output)
    {
        output.WriteLine("| codec | MB/s, one core | ratio |");
        output.WriteLine("| --- | ---: | ---: |");
        long payload = Enumerable.Range(0, costs.Batches).Sum(costs.PayloadOf);
        foreach (BatchCodec codec in Fixed.Skip(1))
        {
            BatchCost[] all = [.. Enumerable.Range(0, costs.Batches).Select(b => costs.CostOf(b, codec))];
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {codec} | {payload / all.Sum(c => c.Seconds) / 1e6:0.0} | {(double)payload / all.Sum(c => c.Bytes):0.000} |"));
        }

        output.WriteLine();
    }

    private static IEnumerable<(string Name, SimulatedPath Path, double Expected)> Paths()
    {
        yield return ("no network, 1.3 GB/s there", new SimulatedPath(20e9, 1e-5, 1.3e9), double.PositiveInfinity);
        yield return ("no network, 500 MB/s there", new SimulatedPath(20e9, 1e-5, 0.5e9), double.PositiveInfinity);
        foreach ((string name, double megabits, double roundTrip) in (IReadOnlyList<(string, double, double)>)
            [
                ("10 Gbit/s", 10_000, 0.0002), ("4 Gbit/s", 4_000, 0.0002), ("2.5 Gbit/s", 2_500, 0.0002), ("1 Gbit/s (L1)", 1_000, 0.0002),
                ("500 Mbit/s", 500, 0.001), ("250 Mbit/s", 250, 0.01), ("100 Mbit/s, 50 ms (L2)", 100, 0.05), ("50 Mbit/s", 50, 0.05),
                ("25 Mbit/s", 25, 0.05), ("10 Mbit/s", 10, 0.1), ("5 Mbit/s, 100 ms (L3)", 5, 0.1),
            ])
        {
            yield return (name, new SimulatedPath(megabits / 8 * 1e6 * 0.95, roundTrip, 1.3e9), CompressionPolicy.UnknownLinkRate);
        }
    }

    private static string Cell(CopyOutcome outcome) =>
        string.Create(CultureInfo.InvariantCulture, $"{outcome.Seconds:0.00} ({outcome.ProcessorSeconds:0.0})");

    private static string Uses(CopyOutcome outcome) => string.Join(", ", outcome.Uses.Select(u => $"{u.Codec} {u.Batches}"));
}
