using DiskSync.Codecs;

namespace DiskSync.Engine.Comparison;

/// <summary>Neighbouring blocks of an image that have one hash: one block, or many that read as zeros.</summary>
/// <param name="First">The number of the first block.</param>
/// <param name="Count">How many blocks, at least 1.</param>
/// <param name="Hash">The hash of each of them.</param>
/// <param name="IsZero">Whether they read as zeros.</param>
public readonly record struct HashRun(long First, long Count, Hash256 Hash, bool IsZero);
