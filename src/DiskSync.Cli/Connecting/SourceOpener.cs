using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Peers;

namespace DiskSync.Cli.Connecting;

/// <summary>Opens a source image, with the warnings that its user should see.</summary>
internal static class SourceOpener
{
    /// <summary>Opens an image for reading.</summary>
    /// <param name="path">A file, a device or an NBD URI.</param>
    /// <param name="context">For warnings.</param>
    /// <param name="keys">For NBD over TLS; null for the usual folder.</param>
    /// <exception cref="DiskSyncException">It cannot be opened; the message names who and which path.</exception>
    public static IBlockDevice Open(string path, CommandContext context, KeyFolder? keys)
    {
        IBlockDevice source = BlockDevices.OpenSource(path, keys);
        try
        {
            if (ImageSignature.Detect(source) is { } format)
            {
                context.Output.Warning(
                    $"source {path} begins like a {format} image and is treated as raw: what is copied is the container, not the disk in it; convert it first with 'qemu-img convert -O raw' if that is not meant");
            }

            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }
}
