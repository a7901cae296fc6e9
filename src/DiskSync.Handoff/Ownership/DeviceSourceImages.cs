using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Linux;

namespace DiskSync.Handoff.Ownership;

/// <summary>Devices, which have no name to take away: ceding leaves a durable mark in the device's state folder.</summary>
/// <remarks>
/// The mark keeps DiskSync off the device, and remembers the epoch if the journal is lost. It keeps nobody else off:
/// an export or a hotplug script can (a later slice brings those); until then the user must have accepted that.
/// </remarks>
public sealed class DeviceSourceImages : ISourceImages
{
    private readonly ImagePlaces _places;
    private readonly bool _acceptUnfenced;

    /// <summary>Puts the marks into devices' state folders.</summary>
    /// <param name="places">Where those are.</param>
    /// <param name="acceptUnfenced">The user said <c>--accept-unfenced</c>.</param>
    public DeviceSourceImages(ImagePlaces places, bool acceptUnfenced)
    {
        _places = places;
        _acceptUnfenced = acceptUnfenced;
    }

    /// <summary>What the preflight of a migrate says of a device that is not accepted unfenced.</summary>
    public static DiskSyncException Unfenced(string image) => new(
        FailureKind.Preflight,
        $"source {image}: a device cannot be renamed, so nothing here keeps another program from starting a guest on it after the hand-over",
        "Say --accept-unfenced if you see to that yourself.");

    /// <inheritdoc/>
    public Task MakeUnusableAsync(string image, ulong epoch) => _acceptUnfenced
        ? ChangeAsync(image, epoch, File.Exists, static path =>
        {
            using FileStream mark = new(path, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            mark.Flush(flushToDisk: true);
        })
        : throw Unfenced(image);

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
