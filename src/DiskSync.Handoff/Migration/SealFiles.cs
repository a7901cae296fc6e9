using DiskSync.Engine.Targets;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>Reads the seals beside image files.</summary>
public sealed class SealFiles : ISealFiles
{
    /// <inheritdoc/>
    public ulong? ReadEpoch(string image) => SealFile.ReadEpoch(image);
}
