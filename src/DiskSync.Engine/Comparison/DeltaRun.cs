using DiskSync.Codecs;

namespace DiskSync.Engine.Comparison;

/// <summary>Neighbouring blocks with one hash before and one hash after.</summary>
/// <param name="First">The number of the first block.</param>
/// <param name="Count">How many blocks.</param>
/// <param name="Old">The hash before; unknown past the old image's end.</param>
/// <param name="New">The hash after.</param>
internal readonly record struct DeltaRun(long First, long Count, Hash256 Old, Hash256 New);
