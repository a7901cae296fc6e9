namespace DiskSync.Engine.Replication;

/// <summary>Counts what goes with which codec. Thread safe.</summary>
internal sealed class CodecCounter
{
    private readonly Lock _lock = new();
    private readonly Dictionary<BatchCodec, CodecUse> _uses = [];

    /// <summary>Counts one batch.</summary>
    public void Add(BatchCodec codec, long payload, long encoded)
    {
        lock (_lock)
        {
            CodecUse before = _uses.GetValueOrDefault(codec) ?? new CodecUse(codec, 0, 0, 0);
            _uses[codec] = new CodecUse(codec, before.Batches + 1, before.PayloadBytes + payload, before.EncodedBytes + encoded);
        }
    }

    /// <summary>What was counted, the most used codec first.</summary>
    public IReadOnlyList<CodecUse> Uses()
    {
        lock (_lock)
        {
            return CodecUse.Sum(_uses.Values);
        }
    }
}
