namespace DiskSync.TestSupport.Fuzz;

/// <summary>A decoder to be fuzzed.</summary>
/// <param name="Name">What it is picked by.</param>
/// <param name="Run">Feeds it one input; throws only on a bug.</param>
/// <param name="Seeds">Makes valid inputs to start from.</param>
/// <param name="Repair">
/// Makes checksums right again after a mutation, in place, or null where there are none: without it no mutation
/// would get past the check.
/// </param>
public sealed record FuzzTarget(
    string Name,
    FuzzRun Run,
    Func<IReadOnlyList<byte[]>> Seeds,
    Action<byte[]>? Repair = null);
