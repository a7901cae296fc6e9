namespace DiskSync.Engine.Replication;

/// <summary>What went with one codec.</summary>
/// <param name="Codec">The codec and its level.</param>
/// <param name="Batches">Batches with a payload.</param>
/// <param name="PayloadBytes">Their payload before compression.</param>
/// <param name="EncodedBytes">Their payload as sent.</param>
public sealed record CodecUse(BatchCodec Codec, long Batches, long PayloadBytes, long EncodedBytes)
{
    /// <summary>Adds up what several rounds, or images, say; the most used codec first.</summary>
    public static IReadOnlyList<CodecUse> Sum(IEnumerable<CodecUse> uses) =>
    [
        .. uses.GroupBy(u => u.Codec)
            .Select(g => new CodecUse(g.Key, g.Sum(u => u.Batches), g.Sum(u => u.PayloadBytes), g.Sum(u => u.EncodedBytes)))
            .OrderByDescending(u => u.PayloadBytes),
    ];
}
