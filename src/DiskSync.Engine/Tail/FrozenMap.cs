using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Engine.Exports;
using DiskSync.Nbd.Server;

namespace DiskSync.Engine.Tail;

/// <summary>The block map of a frozen image as an export: what the destination compares with what it fetches.</summary>
/// <remarks>The map is a file of its own in the temporary folder, which goes with this object. Thread safe.</remarks>
public sealed class FrozenMap : IDisposable
{
    private readonly string _path;
    private readonly IBlockDevice _file;
    private readonly ReadCounter _counter;
    private readonly BlockDeviceExport _export;

    private FrozenMap(string path)
    {
        _path = path;
        _file = BlockDevices.OpenSource(path);
        _counter = new ReadCounter(_file);
        _export = new BlockDeviceExport(_counter, "map", isReadOnly: true);
    }

    /// <summary>The map's file.</summary>
    public INbdExport Export => _export;

    /// <summary>Whether all of it has been read.</summary>
    public bool IsTaken => _counter.Bytes >= _file.Length;

    /// <summary>Hashes an image. One thread does it: the destination's guest may be waiting for what the same storage holds.</summary>
    /// <param name="image">The frozen image; stays its opener's.</param>
    /// <param name="granularity">The blocks' size: that of the hand-over.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The map, the caller's.</returns>
    /// <exception cref="DiskSyncException">The image cannot be read, or the map not be written.</exception>
    public static async Task<FrozenMap> BuildAsync(IBlockDevice image, int granularity, CancellationToken cancellation)
    {
        string path = Path.Join(Path.GetTempPath(), $"disksync-{Guid.NewGuid():N}");
        try
        {
            await Task.Run(
                () =>
                {
                    using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
                    BlockMapBuilder.Build(image, file, new ComparisonOptions { Granularity = granularity, Workers = 1 }, cancellation);
                },
                cancellation);
            return new FrozenMap(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            File.Delete(path);
            throw new DiskSyncException(
                FailureKind.Source, $"source {image.Name}: its block map cannot be written: {exception.Message}", "Free space in $TMPDIR, or set TMPDIR to another folder.", exception);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _export.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }
}
