using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Comparison;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync verify IMAGE OTHER</c>: are they the same?</summary>
internal sealed class VerifyCommand : CliCommand
{
    private readonly Argument<string> _image = ImageArguments.Image("IMAGE", "the image to check");
    private readonly Argument<string> _other = ImageArguments.Image(
        "OTHER", "what it should be: an image, a block map, or a root hash (64 hexadecimal digits)");

    private readonly Option<long?> _granularity = SizeOption(
        "--granularity",
        "block size that the root hash was made with, and that differences are counted in; 64K unless set (against a block map: the map's)",
        ImageArguments.CheckGranularity);

    /// <summary>Builds the command.</summary>
    public VerifyCommand()
        : base("verify")
    {
        Add(_image);
        Add(_other);
        Add(_granularity);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Checks that an image is what it should be. The exit code is 0 where it is, and 1 where it is not; then the first "
        + "offset that differs and the number of different blocks are told (a root hash alone cannot tell them). "
        + "Changes nothing.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync verify copy.img image.img", "two images, byte by byte"),
        ("disksync verify copy.img image.map", "against a map made with 'disksync map image.img -o image.map'"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string imageName = context.Parse.GetRequiredValue(_image);
        string other = context.Parse.GetRequiredValue(_other);
        long? granularity = context.Parse.GetValue(_granularity);
        var options = new ComparisonOptions
        {
            Granularity = (int)(granularity ?? BlockGeometry.DefaultGranularity),
            Progress = context.Progress,
        };
        using IBlockDevice image = ImageArguments.Open(context.Output, imageName);
        long start = Stopwatch.GetTimestamp();
        VerifyResult result;
        if (Hash256.TryParse(other, out Hash256 root) && !File.Exists(other))
        {
            result = AgainstRoot(image, other, root, options, cancellation);
        }
        else if (BlockMapFile.IsMap(other))
        {
            result = AgainstMap(image, other, granularity, options, cancellation);
        }
        else
        {
            ImageArguments.WarnAboutPair(context.Output, imageName, other);
            result = AgainstImage(context, image, other, options, cancellation);
        }

        result = result with { Seconds = Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 3) };
        context.EndProgress();
        context.Output.Result(result, json => json.VerifyResult, output => Print(output, result));
        return Task.FromResult(result.Same ? ExitCodes.Done : ExitCodes.Different);
    }

    private static VerifyResult AgainstRoot(
        IBlockDevice image, string other, Hash256 root, ComparisonOptions options, CancellationToken cancellation)
    {
        Hash256 found = BlockMapBuilder.Build(image, null, options, cancellation).Root;
        return new VerifyResult(
            image.Name, other, "root", found == root, options.Granularity, image.Length, null, null, null, found.ToString(), 0);
    }

    private static VerifyResult AgainstMap(
        IBlockDevice image,
        string other,
        long? granularity,
        ComparisonOptions options,
        CancellationToken cancellation)
    {
        using BlockMapFile map = ImageArguments.OpenMap(other, granularity);

        ComparisonResult result = MapComparer.Compare(map, image, options, cancellation);
        return From(image, other, "map", result) with { Root = result.Same ? map.Root.ToString() : null };
    }

    private static VerifyResult AgainstImage(
        CommandContext context,
        IBlockDevice image,
        string other,
        ComparisonOptions options,
        CancellationToken cancellation)
    {
        using IBlockDevice expected = ImageArguments.Open(context.Output, other);
        return From(image, other, "image", ImageComparer.Compare(expected, image, options, cancellation));
    }

    private static VerifyResult From(IBlockDevice image, string other, string kind, ComparisonResult result) => new(
        image.Name,
        other,
        kind,
        result.Same,
        result.Geometry.Granularity,
        result.Geometry.Length,
        result.BaseLength,
        result.ChangedBlocks,
        result.FirstDifference < 0 ? null : result.FirstDifference,
        null,
        0);

    private static void Print(TextWriter output, VerifyResult result)
    {
        if (result.Same)
        {
            output.WriteLine($"{result.Image}: the same as {result.Other} ({ByteSize.Format(result.Length)}, {ProgressText.Duration(result.Seconds)})");
            return;
        }

        output.WriteLine($"{result.Image}: different from {result.Other}");
        if (result.OtherLength is { } length && length != result.Length)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  length            {result.Length} bytes, expected {length}"));
        }

        if (result.DifferentBlocks is { } blocks)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  different blocks  {blocks:N0} of {ByteSize.FormatExact(result.Granularity)}"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  first difference  at offset {result.FirstDifference}"));
        }
        else
        {
            output.WriteLine($"  root hash         {result.Root} (blocks of {ByteSize.FormatExact(result.Granularity)})");
        }
    }
}
