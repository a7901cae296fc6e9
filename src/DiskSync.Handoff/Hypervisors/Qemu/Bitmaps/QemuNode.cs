namespace DiskSync.Handoff.Hypervisors.Qemu.Bitmaps;

/// <summary>A node of QEMU's block graph, from query-named-block-nodes.</summary>
/// <param name="Name">Its node-name.</param>
/// <param name="Driver">Its driver: file, host_device, raw, qcow2 and others.</param>
/// <param name="FileName">What it opened, as QEMU says it.</param>
/// <param name="Length">Its size in bytes.</param>
/// <param name="Bitmaps">Its dirty bitmaps.</param>
internal sealed record QemuNode(string Name, string Driver, string FileName, long Length, IReadOnlyList<QemuBitmap> Bitmaps);
