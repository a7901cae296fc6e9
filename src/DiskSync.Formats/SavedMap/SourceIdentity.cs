namespace DiskSync.Formats.SavedMap;

/// <summary>By what it is told whether anybody can have written a source since its map was saved.</summary>
/// <param name="IsDevice">A block device, or else a regular file.</param>
/// <param name="Boot">The kernel's boot id: a power cut may keep a write and lose the change of time that tells of it.</param>
/// <param name="Device">The number of the file's file system, or the block device's own.</param>
/// <param name="DiskSequence">The sequence number of the disk that it is on; 0 for a file whose file system is on no single disk.</param>
/// <param name="Inode">The file's inode; 0 for a device, as all that follow up to <paramref name="SectorsChanged"/>.</param>
/// <param name="BirthNs">When the file was made, nanoseconds since 1970; 0 where the file system does not tell. Inodes are used again.</param>
/// <param name="ChangedNs">The file's change time, nanoseconds since 1970.</param>
/// <param name="FileSystemType">The magic of the file system's kind.</param>
/// <param name="FileSystemId">The file system's own id.</param>
/// <param name="SectorsChanged">For a device the sectors that were written and discarded since it appeared; 0 for a file.</param>
/// <remarks>Immutable. Two that are equal say the same only where the rules of FORMAT.md were kept when each was taken.</remarks>
public readonly record struct SourceIdentity(
    bool IsDevice,
    Guid Boot,
    ulong Device,
    ulong DiskSequence,
    ulong Inode,
    long BirthNs,
    long ChangedNs,
    ulong FileSystemType,
    ulong FileSystemId,
    ulong SectorsChanged);
