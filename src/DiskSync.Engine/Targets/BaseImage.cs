using DiskSync.Engine.Blocks;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>A base image, open for cloning.</summary>
/// <param name="File">The image, open for reading.</param>
/// <param name="Map">Its map where its seal still fits; null where it has to be hashed.</param>
internal sealed record BaseImage(LinuxFile File, PagedMap? Map) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Map?.Dispose();
        File.Dispose();
    }
}
