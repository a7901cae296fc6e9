using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Runs;
using DiskSync.Engine.SavedMaps;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync clean</c>: lists what is left of earlier runs, and removes what its user chooses.</summary>
internal sealed class CleanCommand : CliCommand
{
    private readonly Argument<string[]> _images = new("IMAGE")
    {
        Description = "remove what belongs to these images without asking; none: list, and ask for each on a terminal",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<bool> _leftOvers = new("--left-overs")
    {
        Description = "remove left-overs without asking; never a copy that can be resumed, never a handed-over image",
    };

    private readonly FolderOptions _folders = new();

    /// <summary>Builds the command.</summary>
    public CleanCommand()
        : base("clean")
    {
        Add(_images);
        Add(_leftOvers);
        _folders.AddTo(this);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Lists staged copies, left-overs and handed-over images below the folders of this host's receivers (and those named "
        + "with --root), and asks for each whether it may go. Nothing that a later run could go on with, and no handed-over "
        + "image, is removed without its name or your answer; nothing that a run is writing, and nothing of a hand-over that is not "
        + "resolved, is removed at all."
        + "\n\n"
        + "The saved maps of sources that were pushed from here are listed too. Removing one costs the next push of its image a "
        + "scan, nothing else: those of images that you name go, and with --left-overs those of images that are gone. "
        + "By themselves the oldest go when there are more than 64 of them or 4 GiB.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync clean --root /srv/images", "list, and ask"),
        ("disksync clean /srv/images/old.img --root /srv/images", "remove what is staged of old.img"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string[] named = [.. context.Parse.GetValue(_images)!.Select(Path.GetFullPath)];
        bool leftOvers = context.Parse.GetValue(_leftOvers);
        RunRegistry registry = new(_folders.State(context.Parse));
        IEnumerable<string> roots = _folders.Roots(context.Parse, registry)
            .Concat(named.Select(n => Path.GetDirectoryName(n) ?? "/")).Distinct(StringComparer.Ordinal);
        StagedCopyGuard guard = new(_folders.State(context.Parse));
        StagedCopy[] found = [.. roots.SelectMany(StagedCopies.Find).DistinctBy(c => c.Files[0]).Select(guard.Describe)];

        foreach (string name in named)
        {
            // Beside an image that has come back may stand both its old self, which is kept, and the rest of a later push.
            StagedCopy[] of = [.. found.Where(c => string.Equals(c.Image, name, StringComparison.Ordinal))];
            if (of.Length > 0 && !of.Any(guard.MayGo))
            {
                throw StagedCopyGuard.Refusal(of[0]);
            }
        }

        List<StagedStatus> removed = [];
        List<StagedStatus> kept = [];
        foreach (StagedCopy copy in found)
        {
            cancellation.ThrowIfCancellationRequested();
            if (guard.MayGo(copy) && MayGo(context, copy, named, leftOvers))
            {
                guard.Remove(copy);
                removed.Add(StagedStatus.Of(copy));
            }
            else
            {
                kept.Add(StagedStatus.Of(copy));
            }
        }

        // A dead receiver is remembered as long as something of its folder is kept: else nobody would find it again.
        foreach (RunRecord run in registry.List().Where(r => !RunRegistry.IsAlive(r) && !kept.Exists(k => r.Images.Any(root => IsBelow(k.Image, root)))))
        {
            registry.Forget(run.Id);
        }

        SavedMapCleaner maps = new(new SavedMapStore(_folders.State(context.Parse)), named, leftOvers);
        if (named.FirstOrDefault(n => !maps.Removed.Any(m => m.Image == n) && !removed.Exists(r => string.Equals(r.Image, n, StringComparison.Ordinal))) is { } missing)
        {
            throw new DiskSyncException(
                FailureKind.Usage, $"nothing is staged or saved of {missing}", "'disksync clean' lists what there is.");
        }

        CleanReport report = new(removed, kept, maps.Removed, maps.Kept);
        context.Output.Result(report, json => json.CleanReport, report.Write);
        return Task.FromResult(ExitCodes.Done);
    }

    private static bool MayGo(CommandContext context, StagedCopy copy, string[] named, bool leftOvers)
    {
        // Named while a run is writing it: removing says so, better than to pass it over without a word.
        if (named.Contains(copy.Image, StringComparer.Ordinal))
        {
            return true;
        }

        if (copy.InUse || named.Length > 0 || leftOvers)
        {
            return !copy.InUse && leftOvers && copy.Kind == StagedKind.LeftOver;
        }

        if (Console.IsInputRedirected || context.Output.Json || context.Output.Quiet)
        {
            return false;
        }

        context.Output.Error.Write(
            $"{copy.Files[0]} ({copy.State}, {ByteSize.Format(copy.AllocatedBytes)} on disk): remove it? [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    private static bool IsBelow(string path, string folder) =>
        path.StartsWith(folder.EndsWith('/') ? folder : folder + "/", StringComparison.Ordinal);
}
