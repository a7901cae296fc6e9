namespace DiskSync.Linux;

/// <summary>How a file is opened; our own values, translated to the architecture's O_ flags.</summary>
[Flags]
public enum LinuxOpen
{
    /// <summary>Reading only.</summary>
    ReadOnly = 0,

    /// <summary>Reading and writing.</summary>
    ReadWrite = 1,

    /// <summary>Create the file where it is missing (O_CREAT).</summary>
    Create = 2,

    /// <summary>
    /// With <see cref="Create"/>: fail with EEXIST where the name exists, even as a dangling link. Without, on a
    /// block device: fail with EBUSY where it is mounted, swapped on, part of an array, or opened so by another.
    /// </summary>
    Exclusive = 4,

    /// <summary>Cut the file to length 0.</summary>
    Truncate = 8,

    /// <summary>Fail with ELOOP where the last part of the path is a symbolic link.</summary>
    NoFollow = 16,

    /// <summary>Bypass the page cache: buffers, offsets and lengths must be aligned (O_DIRECT).</summary>
    Direct = 32,

    /// <summary>Fail with ENOTDIR on anything but a directory.</summary>
    Directory = 64,

    /// <summary>Each write is durable when it returns (O_DSYNC).</summary>
    DataSync = 128,

    /// <summary>Writing only.</summary>
    WriteOnly = 256,

    /// <summary>A reference to the name only: it can be asked for its status and opened beneath, nothing else (O_PATH).</summary>
    Reference = 512,
}
