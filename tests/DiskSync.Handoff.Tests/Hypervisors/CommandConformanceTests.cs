namespace DiskSync.Handoff.Tests.Hypervisors;

/// <summary>The user's commands.</summary>
public sealed class CommandConformanceTests() : HypervisorConformance(new CommandMachineLab());
