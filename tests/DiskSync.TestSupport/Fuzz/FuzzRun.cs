namespace DiskSync.TestSupport.Fuzz;

/// <summary>Feeds one input to a decoder.</summary>
/// <param name="input">Anything at all.</param>
public delegate void FuzzRun(ReadOnlySpan<byte> input);
