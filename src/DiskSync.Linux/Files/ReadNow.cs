namespace DiskSync.Linux;

/// <summary>How a read fared that was not to wait for a medium.</summary>
public enum ReadNow
{
    /// <summary>The buffer is full.</summary>
    Done,

    /// <summary>A part of it would have to be waited for, or the file ends before; the buffer's content means nothing.</summary>
    WouldWait,

    /// <summary>The file system cannot tell, now or ever.</summary>
    CannotTell,
}
