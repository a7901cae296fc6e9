using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Linux;

namespace DiskSync.Handoff.Ownership;

/// <summary>Devices, which have no name to take away: ceding leaves a durable mark in the device's state folder.</summary>
/// <remarks>
/// The mark keeps DiskSync off the device, and remembers the epoch if the journal is lost. It keeps nobody else off,
/// which the user must have accepted (--accept-unfenced); our export or a hotplug script could.
/// </remarks>
public sealed class DeviceMarks : ISourceImages
{
    private readonly ImagePlaces _places;

    /// <summary>Puts the marks into devices' state folders.</summary>
    /// <param name="places">Where those are.</param>
    public DeviceMarks(ImagePlaces places) => _places = places;

    /// <inheritdoc/>
    public Task MakeUnusableAsync(string image, ulong epoch, ulong incomplete = 0) => ChangeAsync(image, epoch, File.Exists, static path =>
    {
        using FileStream mark = new(path, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        mark.Flush(flushToDisk: true);
    });

    /// <inheritdoc/>
    public Task MakeUsableAsync(string image, ulong epoch) => ChangeAsync(image, epoch, path => !File.Exists(path), File.Delete);

    private Task ChangeAsync(string image, ulong epoch, Func<string, bool> isDone, Action<string> change)
    {
        string path = FileSourceImages.CededName(_places.StemOf(image), epoch);
        string folder = Path.GetDirectoryName(path)!;
        try
        {
            string devices = Path.GetDirectoryName(folder)!;
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (!isDone(path))
            {
                change(path);
            }

            FileSystemCalls.SyncDirectory(folder);
            FileSystemCalls.SyncDirectory(devices);
            FileSystemCalls.SyncDirectory(Path.GetDirectoryName(devices)!);
            return Task.CompletedTask;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageIOException(Side.Source, image, -1, "mark", e.Message, $"Check that this user may write in {folder}.", e);
        }
    }
}
