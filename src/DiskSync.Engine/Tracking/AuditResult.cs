namespace DiskSync.Engine.Tracking;

/// <summary>What an audit of blocks that were taken to be equal has found.</summary>
/// <param name="Audited">How many were read.</param>
/// <param name="Different">Those that are not what the destination holds.</param>
public sealed record AuditResult(int Audited, IReadOnlyList<long> Different);
