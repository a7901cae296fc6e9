namespace DiskSync.TestSupport;

/// <summary>The file systems that tests are run on.</summary>
public enum FileSystemKind
{
    /// <summary>In memory; small ones fill up quickly.</summary>
    Tmpfs,

    /// <summary>The usual one; no reflink.</summary>
    Ext4,

    /// <summary>With reflink.</summary>
    Xfs,

    /// <summary>With reflink, copy on write and device numbers of its own.</summary>
    Btrfs,
}
