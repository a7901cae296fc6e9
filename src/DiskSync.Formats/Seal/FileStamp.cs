namespace DiskSync.Formats.Seal;

/// <summary>What stat says of a file, by which a change since the seal is noticed.</summary>
/// <param name="Device">The number of the file system's device.</param>
/// <param name="Inode">The inode.</param>
/// <param name="Size">The size in bytes.</param>
/// <param name="ModifiedNs">The time of the last write, nanoseconds since 1970.</param>
/// <param name="ChangedNs">The time of the last change of the inode, nanoseconds since 1970.</param>
/// <remarks>
/// Equal stamps are a hint, not a proof: a write through a loop device or to a block device moves no time, and a
/// restored snapshot brings all of them back. A different stamp is proof that the seal no longer speaks of this file.
/// </remarks>
public readonly record struct FileStamp(ulong Device, ulong Inode, long Size, long ModifiedNs, long ChangedNs);
