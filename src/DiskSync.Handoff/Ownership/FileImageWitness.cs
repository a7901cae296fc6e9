using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;

namespace DiskSync.Handoff.Ownership;

/// <summary>Looks for NAME.seal, NAME.ceded-EPOCH, NAME.incomplete-EPOCH and NAME.tail beside an image file, or in a device's state folder.</summary>
/// <remarks>Thread safe. A device is there unless it was marked as ceded and no copy was sealed on it since.</remarks>
public sealed class FileImageWitness : IImageWitness
{
    private readonly ImagePlaces _places;

    /// <summary>Looks where the places say.</summary>
    public FileImageWitness(ImagePlaces places) => _places = places;

    /// <inheritdoc/>
    /// <remarks>A folder that cannot be read counts as a damaged seal: what cannot be seen is not assumed to be absent.</remarks>
    public ImageWitness Look(string image)
    {
        try
        {
            string stem = _places.StemOf(image);
            ulong ceded = Newest(stem, NumberedNames.Ceded);
            ulong seal = SealFile.ReadEpoch(stem) ?? 0;
            bool exists = ImageIdentity.IsDevice(image) ? ceded == 0 || seal > ceded : File.Exists(image);
            ImageWitness witness = new(seal, ceded, SealDamaged: false, exists);
            return ImageIdentity.IsDevice(image) ? witness : WithTail(witness, image);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new ImageWitness(0, 0, SealDamaged: true, Exists: false);
        }
    }

    private static ImageWitness WithTail(ImageWitness witness, string image)
    {
        ulong incomplete = Newest(image, NumberedNames.Incomplete);
        return witness with
        {
            IncompleteEpoch = incomplete,
            HasTail = TailFiles.IsThere(image),
            MissingBytes = incomplete > 0 ? TailFiles.MissingBytes(image) : null,
        };
    }

    private static ulong Newest(string image, NumberedNames names)
    {
        string? folder = Path.GetDirectoryName(image);
        ulong newest = 0;
        if (folder is null || !Directory.Exists(folder))
        {
            return newest;
        }

        foreach (string path in Directory.EnumerateFiles(folder))
        {
            if (names.IsOf(Path.GetFileName(path), Path.GetFileName(image)))
            {
                newest = Math.Max(newest, names.NumberOf(path));
            }
        }

        return newest;
    }
}
