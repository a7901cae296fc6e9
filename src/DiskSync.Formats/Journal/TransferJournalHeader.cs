using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Journal;

/// <summary>What a transfer journal is about; fixed when it is created.</summary>
/// <param name="Geometry">The image's geometry.</param>
/// <param name="Id">Random, so that nothing left over from another journal fits this one's chain.</param>
/// <param name="CreatedMs">UTC milliseconds since 1970.</param>
/// <param name="UnstoredIsZero">What map pages that were never stored mean: blocks of zeros (the staged file was created empty and sparse by us), or, where false, unknown blocks.</param>
public sealed record TransferJournalHeader(BlockGeometry Geometry, Guid Id, long CreatedMs, bool UnstoredIsZero)
{
    /// <summary>How many regions the image has.</summary>
    public long RegionCount => RegionRange.RegionsOf(Geometry.BlockCount);
}
