namespace DiskSync.Engine.Journal;

/// <summary>What reading back found.</summary>
/// <param name="BytesRead">Bytes read from the medium.</param>
/// <param name="Wrong">Blocks that did not hold what the map said; their true hashes are in the map now.</param>
public sealed record ReadBackResult(long BytesRead, IReadOnlyList<long> Wrong);
