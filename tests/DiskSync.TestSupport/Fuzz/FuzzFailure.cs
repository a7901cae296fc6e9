namespace DiskSync.TestSupport.Fuzz;

/// <summary>An input on which a target threw.</summary>
/// <param name="Input">The input.</param>
/// <param name="Exception">What it threw.</param>
/// <param name="Iteration">Which input it was, from 0.</param>
public sealed record FuzzFailure(byte[] Input, Exception Exception, long Iteration);
