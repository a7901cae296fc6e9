namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>Two QEMUs and their migration, with a machine that has nothing in it.</summary>
public sealed class QemuConformanceTests() : HypervisorConformance(new QemuMachineLab());
