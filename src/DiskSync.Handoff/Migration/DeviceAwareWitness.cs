using DiskSync.Engine.Targets;
using DiskSync.Formats;
using DiskSync.Formats.Seal;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Handoff.Migration;

/// <summary>Looks at what tells of an image's ownership: beside a file, in the state folder for a device.</summary>
/// <param name="files">The way for files.</param>
/// <param name="stateFolder">Where devices' seals are.</param>
public sealed class DeviceAwareWitness(IImageWitness files, string stateFolder) : IImageWitness
{
    /// <inheritdoc/>
    public ImageWitness Look(string image)
    {
        if (!ImageIdentity.IsDevice(image))
        {
            return files.Look(image);
        }

        string seal = Path.Join(stateFolder, "devices", image[ImageIdentity.DevicePrefix.Length..], "image.seal");
        try
        {
            ulong epoch = File.Exists(seal) ? SealCodec.Decode(File.ReadAllBytes(seal)).Epoch : 0;
            return new ImageWitness(epoch, 0, SealDamaged: false, Exists: true);
        }
        catch (Exception exception) when (exception is FormatViolationException or IOException or UnauthorizedAccessException)
        {
            return new ImageWitness(0, 0, SealDamaged: true, Exists: true);
        }
    }
}
