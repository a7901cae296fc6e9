namespace DiskSync.Handoff.Ownership;

/// <summary>Files by their names, devices by their marks.</summary>
public sealed class SourceImages : ISourceImages
{
    private readonly FileSourceImages _files;
    private readonly DeviceSourceImages _devices;

    /// <summary>Joins the two.</summary>
    public SourceImages(FileSourceImages files, DeviceSourceImages devices)
    {
        _files = files;
        _devices = devices;
    }

    /// <inheritdoc/>
    public Task MakeUnusableAsync(string image, ulong epoch) => Of(image).MakeUnusableAsync(image, epoch);

    /// <inheritdoc/>
    public Task MakeUsableAsync(string image, ulong epoch) => Of(image).MakeUsableAsync(image, epoch);

    private ISourceImages Of(string image) => ImagePlaces.IsDevice(image) ? _devices : _files;
}
