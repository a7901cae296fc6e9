using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>The proof that both sides hold the same image.</summary>
/// <param name="Root">The root hash of both.</param>
/// <param name="BytesRead">What the destination read back for it.</param>
/// <param name="Elapsed">How long it took, repairs included.</param>
public readonly record struct ProofResult(Hash256 Root, long BytesRead, TimeSpan Elapsed);
