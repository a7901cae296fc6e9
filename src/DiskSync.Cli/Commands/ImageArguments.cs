using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;
using DiskSync.Linux;

namespace DiskSync.Cli.Commands;

/// <summary>Arguments and options that several commands share.</summary>
internal static class ImageArguments
{
    /// <summary>An argument that names an image.</summary>
    public static Argument<string> Image(string name, string description) => new(name) { Description = description };

    /// <summary>Checks a granularity; the message, or null.</summary>
    public static string? CheckGranularity(long bytes) => BlockGeometry.IsValidGranularity(bytes)
        ? null
        : $"{ByteSize.FormatExact(bytes)} is not a power of two from {ByteSize.FormatExact(BlockGeometry.MinGranularity)} "
            + $"to {ByteSize.FormatExact(BlockGeometry.MaxGranularity)}";

    /// <summary>Says what is odd about a pair of images that can be compared all the same.</summary>
    public static void WarnAboutPair(CommandOutput output, string first, string second)
    {
        if (FileStat.IfExists(first) is { } a && FileStat.IfExists(second) is { } b && a.IsSameFileAs(b))
        {
            output.Warning($"{first} and {second} are the same file");
        }
    }

    /// <summary>Opens an image for reading and says what is odd about it: empty, or a container of another format.</summary>
    /// <exception cref="DiskSyncException">It cannot be opened or read.</exception>
    public static IBlockDevice Open(CommandOutput output, string path)
    {
        IBlockDevice image = BlockDevices.OpenSource(path);
        try
        {
            if (image.Length == 0)
            {
                output.Warning($"{path} is empty");
            }
            else if (ImageSignature.Detect(image) is { } format)
            {
                output.Warning($"{path} begins like a {format} file; it is treated as raw bytes, container and all");
            }

            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>Opens a block map and checks the granularity that was asked for, if any.</summary>
    /// <exception cref="DiskSyncException">It is no map, or has another granularity.</exception>
    public static BlockMapFile OpenMap(string path, long? granularity)
    {
        BlockMapFile map = BlockMapFile.Open(path);
        if (granularity is { } asked && asked != map.Geometry.Granularity)
        {
            map.Dispose();
            throw new DiskSyncException(
                FailureKind.Usage,
                $"--granularity {ByteSize.FormatExact(asked)}: the map {path} has blocks of {ByteSize.FormatExact(map.Geometry.Granularity)}",
                "Leave --granularity out.");
        }

        return map;
    }
}
