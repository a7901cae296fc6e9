namespace DiskSync.Linux;

/// <summary>What a path names.</summary>
public enum FileKind
{
    /// <summary>A socket, FIFO, character device or something newer.</summary>
    Other,

    /// <summary>A regular file.</summary>
    Regular,

    /// <summary>A block device.</summary>
    BlockDevice,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link (only where links are not followed).</summary>
    SymbolicLink,
}
