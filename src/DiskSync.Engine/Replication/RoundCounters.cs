namespace DiskSync.Engine.Replication;

/// <summary>The counts of a running round, added to by all workers.</summary>
internal sealed class RoundCounters
{
    public readonly CodecCounter Codecs = new();

    public long BlocksScanned;
    public long BytesRead;
    public long BytesDone;
    public long BlocksChanged;
    public long ZeroBlocks;
    public long PatchedBlocks;
    public long CopiedBlocks;
    public long ChangedBytes;
    public long PayloadBytes;
    public long EncodedBytes;
    public long RefusedBlocks;

    // Image bytes in batches that are not acknowledged yet; of those that are, payload before compression and frames as sent.
    public long BytesOnTheWay;
    public long PayloadSent;
    public long WireSent;
}
