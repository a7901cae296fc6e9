using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>Neighbouring blocks with equal hashes.</summary>
/// <param name="Count">How many blocks, at least 1.</param>
/// <param name="Hash">The hash of each; unknown where nobody hashed them.</param>
public readonly record struct MapRun(long Count, Hash256 Hash);
