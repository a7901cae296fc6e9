namespace DiskSync.Handoff.Tests.World;

/// <summary>The simulated process has ended: thrown out of whatever it was doing, and out of everything it tries after.</summary>
public sealed class SimKilledException(string at) : Exception($"killed at {at}");
