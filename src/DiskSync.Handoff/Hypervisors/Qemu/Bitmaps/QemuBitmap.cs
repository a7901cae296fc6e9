namespace DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

/// <summary>A dirty bitmap of a node.</summary>
/// <param name="Name">Its name; empty for one of QEMU's own jobs.</param>
/// <param name="DirtyBytes">How much is dirty.</param>
/// <param name="IsRecording">Whether writes are recorded.</param>
/// <param name="IsInconsistent">Whether QEMU itself does not believe it.</param>
internal sealed record QemuBitmap(string Name, long DirtyBytes, bool IsRecording, bool IsInconsistent);
