namespace DiskSync.Linux;

/// <summary>What the image locks that QEMU holds on a file say.</summary>
public enum QemuUse
{
    /// <summary>No QEMU (and no other holder of such locks) has the image open.</summary>
    None,

    /// <summary>It is open for reading.</summary>
    Reading,

    /// <summary>It is open for writing: a VM may be running on it.</summary>
    Writing,
}
