using DiskSync.Engine;
using DiskSync.Engine.Replication;

namespace DiskSync.Cli.Output;

/// <summary>What went with one codec.</summary>
/// <param name="Codec">raw, lz4 or zstd:LEVEL.</param>
/// <param name="Batches">Batches.</param>
/// <param name="PayloadBytes">Their payload before compression.</param>
/// <param name="EncodedBytes">Their payload as sent.</param>
internal sealed record CodecReport(string Codec, long Batches, long PayloadBytes, long EncodedBytes)
{
    /// <summary>Builds the reports of some rounds, the most used codec first.</summary>
    public static IReadOnlyList<CodecReport> Of(IEnumerable<RoundResult> rounds) =>
    [
        .. CodecUse.Sum(rounds.SelectMany(r => r.Codecs))
            .Select(u => new CodecReport(u.Codec.ToString(), u.Batches, u.PayloadBytes, u.EncodedBytes)),
    ];

    /// <summary>One line for people; empty where nothing had a payload.</summary>
    public static string Line(IReadOnlyList<CodecReport> codecs) =>
        string.Join(", ", codecs.Select(c => c.EncodedBytes < c.PayloadBytes
            ? $"{c.Codec} {ByteSize.Format(c.PayloadBytes)} to {ByteSize.Format(c.EncodedBytes)}"
            : $"{c.Codec} {ByteSize.Format(c.PayloadBytes)}"));
}
