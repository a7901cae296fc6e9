using System.CommandLine;
using System.Diagnostics;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync map IMAGE</c>: the root hash and the block map.</summary>
internal sealed class MapCommand : CliCommand
{
    private readonly Argument<string> _image = ImageArguments.Image("IMAGE", "the image to hash");
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "write the block map here: one BLAKE3 hash for each block, and the root hash",
        HelpName = "FILE",
    };

    private readonly Option<long?> _granularity = SizeOption(
        "--granularity", "block size, a power of two from 4K to 4M; 64K unless set", ImageArguments.CheckGranularity);

    /// <summary>Builds the command.</summary>
    public MapCommand()
        : base("map")
    {
        Add(_image);
        Add(_output);
        Add(_granularity);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Hashes every block of an image with BLAKE3 and prints the root hash, a hash tree's top that binds length and "
        + "block size: two images with one root hash are the same. What is unallocated is not read.\n\n"
        + "A block map stands in for its image wherever disksync takes a BASE: it is 2,000 times smaller.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync map image.img", "the root hash"),
        ("disksync map image.img -o image.map", "and a map, to compare with later"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string name = context.Parse.GetRequiredValue(_image);
        string? file = context.Parse.GetValue(_output);
        using IBlockDevice image = ImageArguments.Open(context.Output, name);
        using AtomicFileStream? output = file is null ? null : AtomicFileStream.Create(file, name);
        var options = new ComparisonOptions
        {
            Granularity = (int)(context.Parse.GetValue(_granularity) ?? BlockGeometry.DefaultGranularity),
            Progress = context.Progress,
        };
        long start = Stopwatch.GetTimestamp();
        BlockMapSummary summary = BlockMapBuilder.Build(image, output, options, cancellation);
        output?.Commit();
        context.EndProgress();
        string root = summary.Root.ToString();
        BlockGeometry geometry = summary.Geometry;
        var result = new MapResult(
            name,
            root,
            geometry.Granularity,
            geometry.Length,
            geometry.BlockCount,
            summary.ZeroBlocks,
            Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 3),
            file);

        // As b3sum and sha256sum do: the hash first, so that scripts can cut it off.
        context.Output.Result(result, json => json.MapResult, text => text.WriteLine($"{root}  {name}"));
        return Task.FromResult(ExitCodes.Done);
    }
}
