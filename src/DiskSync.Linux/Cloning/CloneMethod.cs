namespace DiskSync.Linux;

/// <summary>How a file was cloned.</summary>
public enum CloneMethod
{
    /// <summary>The file system shares the extents: no data was read or written (FICLONE).</summary>
    Reflink,

    /// <summary>The kernel copied the data ranges (copy_file_range).</summary>
    CopyFileRange,

    /// <summary>The data was read and written here; zeros became holes.</summary>
    Copy,
}
