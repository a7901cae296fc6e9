using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
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

    /// <summary>Says that an image is empty.</summary>
    public static void WarnIfEmpty(CommandOutput output, IBlockDevice image)
    {
        if (image.Length == 0)
        {
            output.Warning($"{image.Name} is empty");
        }
    }
}
