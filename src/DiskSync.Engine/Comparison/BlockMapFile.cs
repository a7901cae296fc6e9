using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Formats;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Engine.Comparison;

/// <summary>A block map file as the base of a comparison.</summary>
/// <remarks>Read forward, once. Everything wrong with it is a <see cref="DiskSyncException"/> that names it. Not thread safe.</remarks>
public sealed class BlockMapFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly BlockMapReader _reader;

    private BlockMapFile(string path, FileStream stream, BlockMapReader reader)
    {
        Name = path;
        _stream = stream;
        _reader = reader;
    }

    /// <summary>The file as its user named it.</summary>
    public string Name { get; }

    /// <summary>The geometry of the image that it maps.</summary>
    public BlockGeometry Geometry => _reader.Geometry;

    /// <summary>The root hash; proven, so known only after the last run was read.</summary>
    public Hash256 Root => _reader.Root;

    /// <summary>Blocks without a known hash, after the last run was read.</summary>
    public long UnknownBlocks => _reader.UnknownBlocks;

    /// <summary>Whether a file begins as block maps do; a file that cannot be read does not.</summary>
    public static bool IsMap(string path) => BeginsWith(path, "DSyncMap"u8);

    /// <summary>Opens a map and reads its header.</summary>
    /// <exception cref="DiskSyncException">It cannot be read or is no map (<see cref="FailureKind.Source"/>).</exception>
    public static BlockMapFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
            return new BlockMapFile(path, stream, new BlockMapReader(stream));
        }
        catch (Exception failure) when (failure is FormatViolationException or IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw Failed(path, failure);
        }
    }

    /// <summary>Reads the next run; false after the last, when the whole file has been checked.</summary>
    /// <exception cref="DiskSyncException">The map is cut off or damaged (<see cref="FailureKind.Source"/>).</exception>
    public bool TryRead(out MapRun run)
    {
        try
        {
            return _reader.TryRead(out run);
        }
        catch (Exception failure) when (failure is FormatViolationException or IOException)
        {
            throw Failed(Name, failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    internal static bool BeginsWith(string path, ReadOnlySpan<byte> magic)
    {
        try
        {
            if (FileStat.IfExists(path) is not { Kind: FileKind.Regular })
            {
                return false;
            }

            using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
            Span<byte> start = stackalloc byte[magic.Length];
            return file.ReadAt(start, 0) == start.Length && start.SequenceEqual(magic);
        }
        catch (LinuxException)
        {
            // Whoever opens it for its content says why.
            return false;
        }
    }

    private static DiskSyncException Failed(string path, Exception failure) => new(
        FailureKind.Source,
        $"block map {path}: {failure.Message}",
        failure is FormatViolationException ? "Make it anew: disksync map IMAGE -o FILE." : string.Empty,
        failure);
}
