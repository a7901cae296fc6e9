using System.Globalization;

namespace DiskSync.Handoff.Ownership;

/// <summary>Looks for NAME.seal and NAME.ceded-EPOCH beside an image file.</summary>
public sealed class FileImageWitness : IImageWitness
{
    private readonly ISealFiles _seals;

    /// <summary>Looks with the given reader of seals.</summary>
    public FileImageWitness(ISealFiles seals) => _seals = seals;

    /// <inheritdoc/>
    /// <remarks>A folder that cannot be read counts as a damaged seal: what cannot be seen is not assumed to be absent.</remarks>
    public ImageWitness Look(string image)
    {
        try
        {
            bool exists = File.Exists(image);
            ulong? seal = _seals.ReadEpoch(image);
            return new ImageWitness(seal ?? 0, NewestCeded(image), SealDamaged: false, exists);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return new ImageWitness(0, 0, SealDamaged: true, Exists: false);
        }
    }

    private static ulong NewestCeded(string image)
    {
        string prefix = Path.GetFileName(image) + ".ceded-";
        string? folder = Path.GetDirectoryName(image);
        ulong newest = 0;
        if (folder is null || !Directory.Exists(folder))
        {
            return newest;
        }

        foreach (string path in Directory.EnumerateFiles(folder))
        {
            string name = Path.GetFileName(path);
            if (name.StartsWith(prefix, StringComparison.Ordinal)
                && ulong.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out ulong epoch))
            {
                newest = Math.Max(newest, epoch);
            }
        }

        return newest;
    }
}
