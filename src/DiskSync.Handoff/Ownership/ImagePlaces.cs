using DiskSync.Engine.Targets;

namespace DiskSync.Handoff.Ownership;

/// <summary>Where what belongs to an image stands: beside a file, or in a device's folder of the state folder (safety rule 9).</summary>
/// <remarks>Immutable.</remarks>
public sealed class ImagePlaces
{
    private readonly string _stateFolder;

    /// <summary>Puts devices' state under the given state folder.</summary>
    public ImagePlaces(string stateFolder) => _stateFolder = Path.GetFullPath(stateFolder);

    /// <summary>The path to which ".seal" or ".ceded-EPOCH" is added: the file itself, or STATE/devices/ID/image.</summary>
    public string StemOf(string image) => ImageIdentity.IsDevice(image)
        ? Path.Combine(_stateFolder, "devices", image[ImageIdentity.DevicePrefix.Length..], "image")
        : image;
}
