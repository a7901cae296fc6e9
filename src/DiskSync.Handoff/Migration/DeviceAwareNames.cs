using DiskSync.Engine;
using DiskSync.Engine.Targets;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>Makes images unusable: files by their name, devices by a mark alone, which their user has to accept (safety rule 8).</summary>
/// <param name="files">The way for files.</param>
/// <param name="devices">The way for devices.</param>
/// <param name="acceptUnfenced">The user's --accept-unfenced.</param>
public sealed class DeviceAwareNames(ISourceImages files, ISourceImages devices, bool acceptUnfenced) : ISourceImages
{
    /// <inheritdoc/>
    public Task MakeUnusableAsync(string image, ulong epoch)
    {
        CheckDevice(image);
        return Of(image).MakeUnusableAsync(image, epoch);
    }

    /// <inheritdoc/>
    public Task MakeUsableAsync(string image, ulong epoch) => Of(image).MakeUsableAsync(image, epoch);

    /// <summary>The preflight: a device that nothing keeps others from needs the user's word.</summary>
    /// <exception cref="DiskSyncException">It is a device, and the user has not accepted that (kind Preflight).</exception>
    public void CheckDevice(string image)
    {
        if (ImageIdentity.IsDevice(image) && !acceptUnfenced)
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"source {image}: it is a block device, which cannot be made unusable to others by a rename, so after the hand-over nothing but you keeps its guest from being started here",
                "If you take care of that, add --accept-unfenced.");
        }
    }

    private ISourceImages Of(string image) => ImageIdentity.IsDevice(image) ? devices : files;
}
