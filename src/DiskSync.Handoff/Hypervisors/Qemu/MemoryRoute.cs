namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>How a machine's memory gets to the destination.</summary>
/// <param name="Uri">Where the destination's QEMU takes it in, as QEMU writes it: <c>tcp:HOST:PORT</c>, <c>unix:PATH</c>.</param>
/// <param name="Limit">How long the copy may take before it counts as never coming to an end.</param>
public sealed record MemoryRoute(string Uri, TimeSpan Limit);
