using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Delta;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync delta BASE IMAGE -o FILE</c>: what turns the one into the other.</summary>
internal sealed class DeltaCommand : CliCommand
{
    private readonly Argument<string> _base = ImageArguments.Image("BASE", "what the target holds: an image or a block map");
    private readonly Argument<string> _image = ImageArguments.Image("IMAGE", "what it is to hold");
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "write the delta here; it appears under this name only when it is complete",
        HelpName = "FILE",
        Required = true,
    };

    private readonly Option<long?> _granularity = SizeOption(
        "--granularity",
        "block size, a power of two from 4K to 4M; 64K unless set (against a block map: the map's)",
        ImageArguments.CheckGranularity);

    /// <summary>Builds the command.</summary>
    public DeltaCommand()
        : base("delta")
    {
        Add(_base);
        Add(_image);
        Add(_output);
        Add(_granularity);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Writes a file that turns a copy of BASE into IMAGE: to carry on a disk, to send by mail, to keep as an incremental "
        + "backup. It holds the changed blocks, compressed, and the hashes to recognise each block before and after.\n\n"
        + "With an image as BASE only the changed 4 KiB pieces go in; a block map does not know them, so whole blocks do.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync delta base.img image.img -o monday.delta", "from two images"),
        ("disksync delta base.map image.img -o monday.delta", "where only the base's map is here"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string baseName = context.Parse.GetRequiredValue(_base);
        string imageName = context.Parse.GetRequiredValue(_image);
        string file = context.Parse.GetRequiredValue(_output);
        ImageArguments.WarnAboutPair(context.Output, baseName, imageName);
        using IBlockDevice image = ImageArguments.Open(context.Output, imageName);
        using AtomicFileStream output = AtomicFileStream.Create(file, baseName, imageName);
        long start = Stopwatch.GetTimestamp();
        DeltaSummary summary = Build(context, baseName, image, output, cancellation);
        output.Commit();
        context.EndProgress();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long bytes = output.Position;
        context.Output.Result(
            DeltaResult.From(baseName, imageName, file, summary, bytes, seconds),
            json => json.DeltaResult,
            text => text.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{file}: {ByteSize.Format(bytes)} for {summary.Blocks:N0} changed blocks of {ByteSize.FormatExact(summary.NewGeometry.Granularity)} ({ProgressText.Duration(seconds)})")));
        return Task.FromResult(ExitCodes.Done);
    }

    private DeltaSummary Build(
        CommandContext context,
        string baseName,
        IBlockDevice image,
        AtomicFileStream output,
        CancellationToken cancellation)
    {
        long? asked = context.Parse.GetValue(_granularity);
        var options = new ComparisonOptions
        {
            Granularity = (int)(asked ?? BlockGeometry.DefaultGranularity),
            Progress = context.Progress,
        };
        if (!BlockMapFile.IsMap(baseName))
        {
            using IBlockDevice baseImage = ImageArguments.Open(context.Output, baseName);
            return DeltaBuilder.Build(baseImage, image, output, options, cancellation);
        }

        using BlockMapFile map = ImageArguments.OpenMap(baseName, asked);
        return DeltaBuilder.Build(map, image, output, options, cancellation);
    }
}
