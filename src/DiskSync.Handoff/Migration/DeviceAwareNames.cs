using DiskSync.Engine.Targets;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>Makes images unusable: files by their name, devices by a mark alone; what that does not fence its user has to accept (safety rule 8).</summary>
/// <param name="files">The way for files.</param>
/// <param name="devices">The way for devices.</param>
/// <param name="acceptUnfenced">The user's --accept-unfenced.</param>
public sealed class DeviceAwareNames(ISourceImages files, ISourceImages devices, bool acceptUnfenced) : ISourceImages
{
    private readonly HashSet<string> _fenced = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public Task MakeUnusableAsync(string image, ulong epoch, ulong incomplete = 0)
    {
        // Looked at again, because hours may have passed since the preflight; not where a rename was cut off and is finished.
        if (!File.Exists(FileSourceImages.CededName(image, epoch)))
        {
            CheckFence(image);
        }

        return Of(image).MakeUnusableAsync(image, epoch, incomplete);
    }

    /// <inheritdoc/>
    public Task MakeUsableAsync(string image, ulong epoch) => Of(image).MakeUsableAsync(image, epoch);

    /// <summary>The preflight: what nothing keeps others from, a device or a file with other names, needs the user's word.</summary>
    /// <exception cref="DiskSync.Engine.DiskSyncException">It is such, and the user has not accepted that (kind Preflight).</exception>
    public void CheckFence(string image)
    {
        if (!acceptUnfenced && !_fenced.Contains(image))
        {
            SourceFence.RefuseUnfenced(image);
        }
    }

    /// <summary>An export through which all of the image's users go has lent it: what it does not let through is not written.</summary>
    public void FencedByExport(string image) => _fenced.Add(image);

    private ISourceImages Of(string image) => ImageIdentity.IsDevice(image) ? devices : files;
}
