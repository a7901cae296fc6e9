namespace DiskSync.Linux;

/// <summary>The steps of sync_file_range(2).</summary>
[Flags]
public enum SyncRange
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Wait for writes of the range that are under way.</summary>
    WaitBefore = 1,

    /// <summary>Start to write the range's dirty pages.</summary>
    Write = 2,

    /// <summary>Wait for those writes.</summary>
    WaitAfter = 4,
}
