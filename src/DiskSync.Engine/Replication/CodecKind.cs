namespace DiskSync.Engine.Replication;

/// <summary>How the payload of a batch travels.</summary>
public enum CodecKind
{
    /// <summary>As it is.</summary>
    Raw,

    /// <summary>Each block as an LZ4 block of its own, where that is shorter.</summary>
    Lz4,

    /// <summary>All of it as one zstd frame.</summary>
    Zstd,
}
