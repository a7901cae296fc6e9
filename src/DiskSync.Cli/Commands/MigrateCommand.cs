using System.CommandLine;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync migrate</c>: rounds while the machine runs, then the hand-over.</summary>
internal sealed class MigrateCommand : CliCommand
{
    private readonly Argument<string[]> _paths = new("IMAGE... DEST")
    {
        Description = "the images of one machine, all or none of which move; then the destination: PATH, HOST:PATH or unix:SOCKET:NAME (a folder for several images)",
        Arity = new ArgumentArity(2, 65),
    };

    private readonly Option<string> _pause = new("--pause")
    {
        Description = "command that pauses the machine here",
        HelpName = "CMD",
        DefaultValueFactory = _ => string.Empty,
    };

    private readonly Option<string> _unpause = new("--unpause")
    {
        Description = "command that unpauses it where the hand-over is called off",
        HelpName = "CMD",
        DefaultValueFactory = _ => string.Empty,
    };

    private readonly Option<string> _resume = new("--resume")
    {
        Description = "what resumes it at the destination: a command (PATH, HOST:PATH), or the name of a hook of the receiver (unix:)",
        HelpName = "CMD|HOOK",
        DefaultValueFactory = _ => string.Empty,
    };

    private const int DefaultMaxRounds = 8;

    private readonly Option<double?> _maxDowntime = SecondsOption(
        "--max-downtime", "longest downtime that is accepted, in seconds (default: twice the forecast)");

    private readonly Option<int?> _maxRounds = CountOption("--max-rounds", "most delta rounds before the pause (default 8)");

    private readonly Option<double?> _hookTimeout = SecondsOption("--hook-timeout", "most seconds that a command may take (default 60)");

    private readonly Option<bool> _acceptUnfenced = new("--accept-unfenced")
    {
        Description = "hand block devices over although nothing but you keeps them from being used here afterwards",
    };

    private readonly CopyOptions _copy = new();

    /// <summary>Builds the command.</summary>
    public MigrateCommand()
        : base("migrate")
    {
        Add(_paths);
        foreach (Option option in new Option[]
            { _pause, _unpause, _resume, _maxDowntime, _maxRounds, _hookTimeout, _acceptUnfenced })
        {
            Add(option);
        }

        _copy.AddTo(this);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Moves the disks of a running machine. While it runs, rounds bring the destination ever closer; then its downtime "
        + "is forecast and printed, and refused where it does not fit --max-downtime. Then the machine is paused, the last "
        + "delta sent, both sides proven identical, and ownership moved: exactly one side may write at any moment, whatever "
        + "fails. The source's files become NAME.ceded-EPOCH."
        + "\n\n"
        + "Every command gets DISKSYNC_IMAGE, DISKSYNC_IMAGES, DISKSYNC_EPOCH, DISKSYNC_ROOT_HASH, DISKSYNC_ATTEMPT and "
        + "DISKSYNC_SIDE. A migrate that was killed is completed or called off by running it again, or by 'disksync owner'.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync migrate web.img host2:/srv/images/ --pause 'virsh suspend web' --unpause 'virsh resume web' --resume 'virsh start web'", "over ssh"),
        ("disksync migrate a.img b.img unix:/run/d.sock: --resume start --max-downtime 10", "two disks, one attempt, to a receiver with a hook named start"),
    ];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string[] paths = context.Parse.GetRequiredValue(_paths);
        string[] images = paths[..^1];
        DestinationAddress address = DestinationAddress.Parse(paths[^1]);
        if (images.Length > 1 && !address.IsFolder)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                $"{images.Length} images cannot all become '{address.Name}'",
                "Name a folder: a destination that ends in a slash, or unix:SOCKET: with nothing after it.");
        }

        SenderOptions sender = _copy.Sender(context.Parse);
        string state = StateFolder.Resolve(_copy.State(context.Parse));
        OwnershipParts parts = new(
            state, TimeSpan.FromSeconds(context.Parse.GetValue(_hookTimeout) ?? DefaultHookSeconds), context.Parse.GetValue(_acceptUnfenced));
        using Run run = new RunRegistry(state).Register(
            "migrate", [.. images.Select(Path.GetFullPath)], address.ToString(), sender.Limiter, context.Progress);
        Dialer dialer = new(
            context,
            _copy.Rsh(context.Parse),
            _copy.RemotePath(context.Parse),
            folder => ReceiverFactory.Create(folder, state, parts, new HookCatalog([], allowCommands: true), context, images).Host);
        Guid session = Guid.NewGuid();
        Task<SourceSession> Dial(CancellationToken token) =>
            dialer.DialAsync(address, session, new PeerProgress(run).Report, token);

        if (await CompleteEarlierAsync(parts, images, Dial, context, cancellation) is { } done)
        {
            return done;
        }

        List<TransferRequest> requests = [];
        try
        {
            foreach (string path in images)
            {
                requests.Add(Request(path, address, parts, context));
            }

            MigrationCoordinator coordinator = new(
                parts.Source(), Dial, MigrationOptionsOf(context, sender), run, new MigrationNotes(context));
            MigrationResult result = await coordinator.RunAsync(requests, paths[^1], cancellation);
            context.EndProgress();
            MigrateReport report = MigrateReport.Of(images, paths[^1], result);
            context.Output.Result(report, CliJson.Default.MigrateReport, report.Write);
            return ExitCodes.Done;
        }
        finally
        {
            foreach (TransferRequest request in requests)
            {
                request.Source.Dispose();
            }
        }
    }

    /// <summary>An earlier attempt that was cut off is completed or called off first (issue: "running it again").</summary>
    private static async Task<int?> CompleteEarlierAsync(
        OwnershipParts parts,
        string[] images,
        Func<CancellationToken, Task<SourceSession>> dial,
        CommandContext context,
        CancellationToken cancellation)
    {
        string identity = ImageIdentity.Of(images[0]);
        OwnershipJudgement judgement = OwnershipJudge.Judge(parts.Journal.Read(), identity, parts.Witness.Look(identity));
        if (judgement.Role != AttemptRole.Source
            || judgement.Verdict is not (OwnershipVerdict.Paused or OwnershipVerdict.Ceded or OwnershipVerdict.OwnerUnfinished))
        {
            return null;
        }

        context.Output.Note("an earlier attempt was cut off; resolving it first");
        SourceSession? session = null;
        try
        {
            session = await dial(cancellation);
        }
        catch (DiskSyncException) when (judgement.Verdict != OwnershipVerdict.Ceded)
        {
            // What was not ceded is called off without anybody's leave; a guest does not stay paused for want of a link.
        }

        await using SourceSession? closing = session;
        HandOverResult result = await parts.Source().ResolveAsync(
            identity, session is null ? null : new SessionHandOverLink(session), CededWish.Complete, cancellation);
        context.Output.Note(result.Message);
        if (result.State == HandOverState.SourceRuns)
        {
            // Called off: the machine runs here, so this migrate begins anew.
            return null;
        }

        if (result.State != HandOverState.Done)
        {
            throw new DiskSyncException(
                FailureKind.OwnershipInDoubt, result.Message, $"Run 'disksync owner {images[0]}'.", result.Cause);
        }

        if (result.Resume is { Running: false })
        {
            throw new DiskSyncException(FailureKind.Destination, result.Message, "Mend the resume command there, then run 'disksync owner' there.");
        }

        ResolvedReport report = new(images, true, result.Epoch, result.Message);
        context.Output.Result(report, CliJson.Default.ResolvedReport, output => output.WriteLine(result.Message));
        return ExitCodes.Done;
    }

    private TransferRequest Request(string path, DestinationAddress address, OwnershipParts parts, CommandContext context)
    {
        parts.Names.CheckDevice(ImageIdentity.Of(path));
        IBlockDevice source = SourceOpener.Open(path, context);
        try
        {
            PushRun.RefuseEmpty(source);
            return new TransferRequest(
                source, address.NameFor(path), new BlockGeometry(source.Length, _copy.Granularity(context.Parse)))
            {
                Flags = _copy.Flags(context.Parse),
                Base = _copy.Base(context.Parse),
                Mode = _copy.Mode(context.Parse),
                Owner = _copy.Owner(context.Parse),
            };
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private MigrationOptions MigrationOptionsOf(CommandContext context, SenderOptions sender) => new()
    {
        Pause = context.Parse.GetValue(_pause)!,
        Unpause = context.Parse.GetValue(_unpause)!,
        Resume = context.Parse.GetValue(_resume)!,
        MaxDowntime = context.Parse.GetValue(_maxDowntime) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        MaxRounds = context.Parse.GetValue(_maxRounds) ?? DefaultMaxRounds,
        Sender = sender,
    };
}
