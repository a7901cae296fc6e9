namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>The same with a PC whose firmware runs: there is memory to move, and it changes meanwhile.</summary>
public sealed class QemuPcConformanceTests() : HypervisorConformance(new QemuMachineLab("-machine", "pc", "-m", "16"));
