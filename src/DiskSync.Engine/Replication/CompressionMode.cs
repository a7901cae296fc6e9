namespace DiskSync.Engine.Replication;

/// <summary>When block payloads are compressed.</summary>
public enum CompressionMode
{
    /// <summary>Where it makes the copy faster: the link is slower than the compressor and the data compresses.</summary>
    Auto,

    /// <summary>Wherever a block gets smaller.</summary>
    Always,

    /// <summary>Never.</summary>
    Never,
}
