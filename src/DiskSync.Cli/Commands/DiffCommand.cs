using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Engine.Comparison.Picture;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync diff BASE IMAGE</c>: what changed.</summary>
internal sealed class DiffCommand : CliCommand
{
    private readonly Argument<string> _base = ImageArguments.Image("BASE", "what the image was: an image or a block map");
    private readonly Argument<string> _image = ImageArguments.Image("IMAGE", "what it is now");
    private readonly Option<bool> _extents = new("--extents") { Description = "list the changed extents" };
    private readonly Option<string?> _map = new("--map")
    {
        Description = "draw a picture of where the changes are; FILE ends in .svg or .png",
        HelpName = "FILE",
    };

    private readonly Option<long?> _granularity = SizeOption(
        "--granularity",
        "block size, a power of two from 4K to 4M; 64K unless set (against a block map: the map's)",
        ImageArguments.CheckGranularity);

    /// <summary>Builds the command.</summary>
    public DiffCommand()
        : base("diff")
    {
        Add(_base);
        Add(_image);
        Add(_extents);
        Add(_map);
        Add(_granularity);
        _map.Validators.Add(result =>
        {
            string file = result.Tokens.Count > 0 ? result.Tokens[0].Value : string.Empty;
            if (!file.EndsWith(".svg", StringComparison.OrdinalIgnoreCase)
                && !file.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
            {
                result.AddError($"--map: '{file}' ends in neither .svg nor .png");
            }
        });
    }

    /// <inheritdoc/>
    public override string Details =>
        "Compares two images, or an image with the block map of its base, and says which blocks changed. Two images are "
        + "compared directly, without hashing; what is unallocated in both is not read. Changes nothing.\n\n"
        + "Blocks past the end of a shorter base count as changed. 'Precisely' counts 4 KiB pieces: about what "
        + "disksync sends, before compression, when the destination holds the base.\n\n"
        + "The exit code is 0 where the images are the same and 1 where they differ.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync diff base.img image.img", "how much changed"),
        ("disksync diff --map changes.png base.img image.img", "and where, as a picture"),
        ("disksync diff --json --extents base.map /dev/vg/vm1", "a logical volume against a map made earlier, for a script"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string baseName = context.Parse.GetRequiredValue(_base);
        string imageName = context.Parse.GetRequiredValue(_image);
        string? picture = context.Parse.GetValue(_map);
        ImageArguments.WarnAboutPair(context.Output, baseName, imageName);
        using AtomicFileStream? pictureFile = picture is null ? null : AtomicFileStream.Create(picture, baseName, imageName);
        using IBlockDevice image = ImageArguments.Open(context.Output, imageName);
        using RunSpool? spool = context.Parse.GetValue(_extents) ? new RunSpool() : null;
        long start = Stopwatch.GetTimestamp();
        ChangeMap? map = null;
        (ComparisonResult result, BlockGeometry geometry) = Compare(
            context,
            baseName,
            image,
            made => map = picture is null ? null : new ChangeMap(made),
            run =>
            {
                map?.Add(run);
                spool?.Add(run);
            },
            cancellation);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (pictureFile is not null)
        {
            WritePicture(pictureFile, picture!, ChangeMapDrawing.Draw(map!, result, baseName, imageName));
        }

        context.EndProgress();
        IEnumerable<ExtentEntry>? extents = spool?.Read().Select(run => ExtentEntry.From(run, geometry));
        context.Output.Result(
            DiffResult.From(baseName, imageName, result, seconds, picture, extents),
            json => json.DiffResult,
            output => Print(output, baseName, imageName, result, seconds, picture, extents));
        return Task.FromResult(result.Same ? ExitCodes.Done : ExitCodes.Different);
    }

    private (ComparisonResult Result, BlockGeometry Geometry) Compare(
        CommandContext context,
        string baseName,
        IBlockDevice image,
        Action<BlockGeometry> onGeometry,
        Action<StateRun> onRun,
        CancellationToken cancellation)
    {
        long? asked = context.Parse.GetValue(_granularity);
        var options = new ComparisonOptions
        {
            Granularity = (int)(asked ?? BlockGeometry.DefaultGranularity),
            Progress = context.Progress,
            OnRun = onRun,
        };
        if (BlockMapFile.IsMap(baseName))
        {
            using BlockMapFile map = ImageArguments.OpenMap(baseName, asked);
            int granularity = map.Geometry.Granularity;

            var geometry = new BlockGeometry(image.Length, granularity);
            onGeometry(geometry);
            return (MapComparer.Compare(map, image, options, cancellation), geometry);
        }

        using IBlockDevice baseImage = ImageArguments.Open(context.Output, baseName);
        var direct = new BlockGeometry(image.Length, options.Granularity);
        onGeometry(direct);
        return (ImageComparer.Compare(baseImage, image, options, cancellation), direct);
    }

    private static void WritePicture(AtomicFileStream file, string name, Drawing drawing)
    {
        if (name.EndsWith(".png", StringComparison.OrdinalIgnoreCase))
        {
            PngWriter.Write(drawing, file);
        }
        else
        {
            using var text = new StreamWriter(file, leaveOpen: true);
            SvgWriter.Write(drawing, text);
        }

        file.Commit();
    }

    private static void Print(
        TextWriter output,
        string baseName,
        string imageName,
        ComparisonResult result,
        double seconds,
        string? picture,
        IEnumerable<ExtentEntry>? extents)
    {
        BlockGeometry geometry = result.Geometry;
        string lengths = result.BaseLength == geometry.Length
            ? ByteSize.Format(geometry.Length)
            : $"{ByteSize.Format(result.BaseLength)} and {ByteSize.Format(geometry.Length)}";
        output.WriteLine($"{baseName} and {imageName} {(result.Same ? "are the same" : "differ")} ({lengths}, {ProgressText.Duration(seconds)})");
        if (!result.Same)
        {
            PrintFigures(output, result);
        }

        if (picture is not null)
        {
            output.WriteLine($"  picture           {picture}");
        }

        if (extents is null)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("          offset           length  kind");
        foreach (ExtentEntry extent in extents)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{extent.Offset,16} {extent.Length,16}  {extent.Kind}"));
        }
    }

    private static void PrintFigures(TextWriter output, ComparisonResult result)
    {
        BlockGeometry geometry = result.Geometry;
        double share = geometry.BlockCount == 0 ? 0 : 100.0 * result.ChangedBlocks / geometry.BlockCount;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  changed blocks    {result.ChangedBlocks:N0} of {geometry.BlockCount:N0} ({share:0.##}%), {ByteSize.FormatExact(geometry.Granularity)} each, in {result.ChangedExtents:N0} extents"));
        string zeroed = result.ZeroedBytes > 0 ? $", of which {ByteSize.Format(result.ZeroedBytes)} now read as zeros" : string.Empty;
        output.WriteLine($"  changed bytes     {ByteSize.Format(result.ChangedBytes)}{zeroed}");
        if (result.PreciseBytes is { } precise)
        {
            output.WriteLine($"  precisely         {ByteSize.Format(precise)} in 4 KiB pieces");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  first difference  at offset {result.FirstDifference}"));
    }
}
