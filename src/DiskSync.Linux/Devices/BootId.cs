namespace DiskSync.Linux;

/// <summary>The kernel's name for the time since it was started (/proc/sys/kernel/random/boot_id).</summary>
public static class BootId
{
    /// <summary>The id; <see cref="Guid.Empty"/> where /proc does not tell, which must not be taken for an answer.</summary>
    public static Guid Current { get; } = Read();

    private static Guid Read()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText("/proc/sys/kernel/random/boot_id"), out Guid id) ? id : Guid.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Guid.Empty;
        }
    }
}
