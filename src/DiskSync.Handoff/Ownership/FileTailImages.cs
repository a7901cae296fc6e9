using DiskSync.Codecs;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;

namespace DiskSync.Handoff.Ownership;

/// <summary>Image files with a tail. A device never has one.</summary>
/// <remarks>Thread safe as far as callers hold the image's moving lock.</remarks>
public sealed class FileTailImages : ITailImages
{
    /// <inheritdoc/>
    public bool IsWhole(string image, ulong epoch)
    {
        if (ImageIdentity.IsDevice(image))
        {
            return false;
        }

        using TailFiles files = TailFiles.Of(image);
        return files.IsWhole(epoch);
    }

    /// <inheritdoc/>
    public Hash256 GiveName(string image, ulong epoch)
    {
        using TailFiles files = TailFiles.Of(image);
        return files.GiveName(epoch);
    }

    /// <inheritdoc/>
    public void Forget(string image)
    {
        if (!ImageIdentity.IsDevice(image) && TailFiles.IsThere(image))
        {
            using TailFiles files = TailFiles.Of(image);
            files.Forget();
        }
    }
}
