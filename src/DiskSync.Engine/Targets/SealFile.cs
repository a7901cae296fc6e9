using DiskSync.Formats;
using DiskSync.Formats.Seal;
using DiskSync.Linux;

namespace DiskSync.Engine.Targets;

/// <summary>Reads the seal beside an image file.</summary>
public static class SealFile
{
    /// <summary>Reads an image's seal.</summary>
    /// <param name="image">The image's path; the seal stands beside it as NAME.seal.</param>
    /// <returns>The seal, or null where there is none.</returns>
    /// <exception cref="InvalidDataException">There is a seal, and it cannot be read.</exception>
    public static SealRecord? Read(string image)
    {
        string path = image + ".seal";
        if (FileStat.IfExists(path) is null)
        {
            return null;
        }

        byte[] bytes = new byte[SealCodec.MaxSize + 1];
        try
        {
            using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
            return SealCodec.Decode(bytes.AsSpan(0, file.ReadAt(bytes, 0)));
        }
        catch (Exception exception) when (exception is FormatViolationException or LinuxException)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>Whether an image file is still the one, unwritten, that its seal speaks of; a hint, not a proof.</summary>
    /// <param name="seal">The seal.</param>
    /// <param name="stat">The image's file now.</param>
    public static bool Fits(SealRecord seal, FileStat stat) => TargetSealer.Fits(seal, stat);

    /// <summary>The epoch of an image's seal; null where there is none.</summary>
    /// <exception cref="InvalidDataException">There is a seal, and it cannot be read.</exception>
    public static ulong? ReadEpoch(string image) => Read(image)?.Epoch;
}
