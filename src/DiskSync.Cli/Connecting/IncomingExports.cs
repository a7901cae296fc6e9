using DiskSync.Cli.Output;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Tail;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Connecting;

/// <summary>Makes the export of an image that is still to arrive.</summary>
internal static class IncomingExports
{
    // Only until the copy has begun; after that nothing is asked but when a client asks.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // A finish is two renames and a few flushes; on storage that is busy those take seconds.
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);

    /// <summary>Waits until it is known how long the image will be, and makes the export.</summary>
    /// <param name="output">Told that it waits, and when the image is served.</param>
    /// <param name="image">The image; owned by the export, disposed where this throws.</param>
    /// <param name="path">As the user named it.</param>
    /// <param name="name">By which clients ask for it.</param>
    /// <param name="size">Its length, where the user says so.</param>
    /// <param name="failMissing">Whether what needs a missing part fails at first while its source cannot be reached.</param>
    /// <param name="track">Makes what tracks its writes, when its length is known; null where nobody does.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="Engine.DiskSyncException">The image cannot arrive here.</exception>
    public static async Task<IncomingExport> OpenAsync(
        CommandOutput output,
        IncomingImage image,
        string path,
        string name,
        long? size,
        bool failMissing,
        Func<long, IncomingTracking>? track,
        CancellationToken cancellation)
    {
        try
        {
            (long Length, int Alignment)? shape = image.Shape();
            if (shape is null && size is null)
            {
                output.Note($"waiting until the copy of {path} begins (--size says what it will be long, and does not wait)");
                while (shape is null)
                {
                    await Task.Delay(Pause, cancellation);
                    shape = image.Shape();
                }
            }

            long length = size ?? shape!.Value.Length;
            void Served() => output.Note($"{path} is owned by this host: it is served now");
            return new IncomingExport(image, name, length, shape?.Alignment ?? 1, Hold, Served, track?.Invoke(length))
            {
                Tail = new TailedImageOptions { FailMissing = failMissing, Tell = output.Note },
            };
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }
}
