namespace DiskSync.Linux;

/// <summary>Why there is no lease.</summary>
public enum LeaseRefusal
{
    /// <summary>There is one.</summary>
    None,

    /// <summary>Somebody has the file open for writing, mapped it writable, or made a loop device of it.</summary>
    Writer,

    /// <summary>Only the file's owner may take one, or who has CAP_LEASE.</summary>
    NotOwner,

    /// <summary>The file system has none, or it is no regular file.</summary>
    NotSupported,
}
