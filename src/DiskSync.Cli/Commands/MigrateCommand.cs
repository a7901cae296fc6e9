using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Tail;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Tracking;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Hypervisors.Qemu;
using DiskSync.Handoff.Migration;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync migrate</c>: rounds while the machine runs, then the hand-over.</summary>
internal sealed class MigrateCommand : CliCommand
{
    private readonly Argument<string[]> _paths = new("IMAGE... DEST")
    {
        Description = "the images of one machine, all or none of which move; then the destination: PATH, HOST:PATH (over ssh), disksync://HOST:PORT/NAME (TLS), unix:SOCKET:NAME or an NBD URI (a folder for several images)",
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

    private readonly Option<string?> _qemu = new("--qemu")
    {
        Description = "QMP socket of the QEMU that runs the machine here, in place of --pause and --unpause",
        HelpName = "SOCKET",
    };

    private readonly Option<string?> _memoryUri = new("--memory-uri")
    {
        Description = "with --qemu: where the QEMU at the destination takes the memory in (its -incoming), tcp:HOST:PORT or unix:PATH; without it the machine's memory stays behind",
        HelpName = "URI",
    };

    private readonly Option<double?> _memoryTimeout = SecondsOption(
        "--memory-timeout", "longest that the copy of the memory may take, in seconds, before it counts as never coming to an end (default 600)");

    private readonly Option<string> _resume = new("--resume")
    {
        Description = "what resumes it at the destination: a command or qmp:SOCKET of the QEMU there (PATH, HOST:PATH), or the name of a hook of the receiver (unix:, disksync:)",
        HelpName = "CMD|qmp:SOCKET|HOOK",
        DefaultValueFactory = _ => string.Empty,
    };

    private const int DefaultMaxRounds = 8;

    private const double DefaultMemorySeconds = 600;

    private readonly Option<double?> _maxDowntime = SecondsOption(
        "--max-downtime", "longest downtime that is accepted, in seconds (default: twice the forecast, and at least 1)");

    private readonly Option<int?> _maxRounds = CountOption("--max-rounds", "most delta rounds before the pause (default 8)");

    private readonly Option<double?> _hookTimeout = HostOptions.HookTimeout();

    private readonly Option<double?> _maxSlowdown = new("--max-slowdown")
    {
        Description = "where the machine writes faster than the link carries, slow its writes, their p99 latency to at most N times what it is (needs an export with --track, and --max-downtime)",
        HelpName = "N",
        CustomParser = ParseSlowdown,
    };

    private readonly Option<bool> _tail = new("--tail")
    {
        Description = "where the forecast does not fit --max-downtime, hand over all the same: what is missing is fetched when the machine touches it, and behind that; until then it depends on both hosts",
    };

    private readonly Option<bool> _verifyFull = new("--verify-full")
    {
        Description = "when the machine runs at the destination, read all of the source once more and compare it with what is there",
    };

    private readonly Option<bool> _acceptUnfenced = new("--accept-unfenced")
    {
        Description = "hand over block devices, NBD exports, and files that have other names (hard links), although nothing but you keeps them from being used here afterwards",
    };

    private readonly CopyOptions _copy = new();

    /// <summary>Builds the command.</summary>
    public MigrateCommand()
        : base("migrate")
    {
        Add(_paths);
        foreach (Option option in new Option[]
            { _pause, _unpause, _qemu, _memoryUri, _memoryTimeout, _resume, _maxDowntime, _maxRounds, _hookTimeout, _maxSlowdown, _tail, _verifyFull, _acceptUnfenced })
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
        + "With --qemu the machine is paused by its QEMU, and with --memory-uri it keeps running with its memory: start the QEMU at "
        + "the destination with the same machine, -S and -incoming URI, and name it with --resume. Its memory is copied while the "
        + "machine runs, after the disks' rounds; it arrives there paused and goes on only once that host owns the disks. What limits "
        + "the copy (max-bandwidth, downtime-limit, multifd) is QEMU's own setting. Where the attempt is called off the machine goes "
        + "on here, and the QEMU at the destination is of no more use: end it and start it anew."
        + "\n\n"
        + "QEMU also records what is written to raw files and devices that it has open itself (a dirty bitmap, read over an NBD server "
        + "in it, at SOCKET.disksync), so that after the first round only that is looked at. Where it cannot, a note says why."
        + "\n\n"
        + "With --tail a machine that writes faster than the link carries moves too. The pause sends what fits; the rest is served "
        + "from here, to the export that serves the disk there ('disksync export IMAGE --incoming', which is the one thing that may), until "
        + "nothing is missing. This command stays for that and shows what is missing. If it ends before, the machine there waits for "
        + "what it misses; the same command, or 'disksync owner', goes on. The images here stay pinned until the destination says that it has all."
        + "\n\n"
        + "Every command gets DISKSYNC_IMAGE, DISKSYNC_IMAGES, DISKSYNC_EPOCH, DISKSYNC_ROOT_HASH, DISKSYNC_ATTEMPT and "
        + "DISKSYNC_SIDE. A migrate that was killed is completed or called off by running it again, or by 'disksync owner'.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync migrate web.img host2:/srv/images/ --pause 'virsh suspend web' --unpause 'virsh resume web' --resume 'virsh start web'", "over ssh"),
        ("disksync migrate web.img host2:/srv/images/ --qemu /run/web.qmp --memory-uri tcp:host2:4444 --resume qmp:/run/web.qmp", "a running QEMU, with its memory"),
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

        MigrationOptions options = OptionsOf(context, address);
        string state = StateFolder.Resolve(_copy.State(context.Parse));
        OwnershipParts parts = new(
            state, HostOptions.HookLimit(context.Parse, _hookTimeout), context.Parse.GetValue(_acceptUnfenced));
        CheckMachineOptions(context);
        CheckTailOptions(context, images);
        ConnectionOptions limits = CopyOptions.Limits(options.Sender);
        await using YieldMonitor? nice = _copy.Nice(context.Parse, limits, images, context.Progress);
        using Run run = new RunRegistry(state).Register(
            "migrate",
            [.. images.Select(NbdImage.FullName)],
            address.ToString(),
            options.Sender.Limiter,
            nice ?? context.Progress);
        options = options with { Machine = MachineOf(context, parts, run) };
        Dialer dialer = new(
            context,
            _copy.Rsh(context.Parse),
            _copy.RemotePath(context.Parse),
            local => ReceiverFactory.CreateLocal(local, state, parts, new HookCatalog([], allowCommands: true), context, images, _copy.Keys(context.Parse)),
            _copy.Tcp(context))
        {
            Connections = _copy.Connections(context.Parse),
            Limits = limits,
        };
        Guid session = Guid.NewGuid();
        Task<SourceSession> Dial(CancellationToken token) =>
            dialer.DialAsync(address, session, new PeerProgress(run).Report, token);

        Task<ITransport> DialPlain(CancellationToken token) => dialer.OpenAsync(address, token);
        PinnedServing pinned = new(parts, Dial, DialPlain, context, run);
        if (await new EarlierAttempts(parts, Dial, paths[^1], pinned, context).ResolveAsync(images, cancellation) is { } completed)
        {
            ResolvedReport resolved = new(images, true, completed.Epoch, completed.Message);
            context.Output.Result(resolved, json => json.ResolvedReport, output => output.WriteLine(completed.Message));
            return ExitCodes.Done;
        }

        using QemuTracking qemu = await QemuTracking.StartAsync(
            context, context.Parse.GetValue(_qemu), HostOptions.HookLimit(context.Parse, _hookTimeout), parts, images, cancellation);
        List<TransferRequest> requests = [];
        try
        {
            foreach (string path in images)
            {
                requests.Add(await RequestAsync(path, address, parts, context, qemu, cancellation));
            }

            // Ended before the sources are closed: it reads them.
            await using TailService? tail = context.Parse.GetValue(_tail)
                ? new TailService(parts.Source(), Dial, DialPlain, new TailServerOptions(), run, context.Output.Note)
                : null;
            options = options with { Tail = tail };
            MigrationCoordinator coordinator = new(
                parts.Source(), Dial, new HookTimes(state), options, run, new MigrationNotes(context));
            MigrationResult result = await coordinator.RunAsync(requests, paths[^1], cancellation);
            context.EndProgress();
            MigrateReport report = MigrateReport.Of(images, paths[^1], result);
            context.Output.Result(report, json => json.MigrateReport, report.Write);
            return ExitCodes.Done;
        }
        finally
        {
            foreach (TransferRequest request in requests)
            {
                request.Tracking?.Dispose();
                request.Source.Dispose();
            }
        }
    }

    private async Task<TransferRequest> RequestAsync(
        string path, DestinationAddress address, OwnershipParts parts, CommandContext context, QemuTracking qemu, CancellationToken cancellation)
    {
        parts.RefuseIncomplete(path);
        IBlockDevice source = SourceOpener.Open(path, context, _copy.Keys(context.Parse));
        IWriteTracking? tracking = null;
        try
        {
            PushRun.RefuseEmpty(source);
            string identity = ImageIdentity.Of(path);
            tracking = parts.TryBorrow(identity, source.Length, $"a migration to {address}");
            parts.Names.CheckFence(identity);
            if (tracking is not null)
            {
                context.Output.Note($"{path}: its export tracks its writes; after the first round only what was written is looked at");
            }

            tracking ??= await qemu.TryTrackAsync(path, source.Length, cancellation);

            return new TransferRequest(
                source, address.NameFor(path), new BlockGeometry(source.Length, _copy.Granularity(context.Parse)))
            {
                Flags = _copy.Flags(context.Parse),
                Base = _copy.Base(context.Parse),
                Mode = _copy.Mode(context.Parse),
                Owner = _copy.Owner(context.Parse),
                Tracking = tracking,
            };
        }
        catch
        {
            tracking?.Dispose();
            source.Dispose();
            throw;
        }
    }

    private MigrationOptions OptionsOf(CommandContext context, DestinationAddress address) => new()
    {
        Resume = CommandOf(context, _resume),
        MaxDowntime = context.Parse.GetValue(_maxDowntime) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        ResumePatience = HostOptions.HookLimit(context.Parse, _hookTimeout) + TimeSpan.FromSeconds(30),
        MaxSlowdown = context.Parse.GetValue(_maxSlowdown),
        VerifiesFully = context.Parse.GetValue(_verifyFull),
        MaxRounds = context.Parse.GetValue(_maxRounds) ?? DefaultMaxRounds,
        Sender = _copy.Sender(context.Parse, address),
    };

    private void CheckTailOptions(CommandContext context, string[] images)
    {
        if (!context.Parse.GetValue(_tail))
        {
            return;
        }

        string? other = context.Parse.GetValue(_maxDowntime) is null ? "needs --max-downtime, for without it every forecast fits"
            : _copy.Flags(context.Parse).HasFlag(OpenFlags.InPlace) ? "and --inplace exclude each other: an image that is not whole has no name under which it could be started"
            : images.Any(NbdImage.IsOne) ? "takes image files and devices: other clients of an NBD server are not kept from an image that is pinned"
            : null;
        if (other is not null)
        {
            throw new DiskSyncException(FailureKind.Usage, $"--tail {other}", "See 'disksync migrate --help'.");
        }
    }

    private void CheckMachineOptions(CommandContext context)
    {
        bool commands = context.Parse.GetValue(_pause)!.Length + context.Parse.GetValue(_unpause)!.Length > 0;
        bool qemu = context.Parse.GetValue(_qemu) is not null;
        if (qemu && commands)
        {
            throw new DiskSyncException(
                FailureKind.Usage, "--qemu takes the place of --pause and --unpause", "Name the machine's QMP socket, or the commands, not both.");
        }

        if (!qemu && (context.Parse.GetValue(_memoryUri) ?? string.Empty).Length > 0)
        {
            throw new DiskSyncException(FailureKind.Usage, "--memory-uri needs --qemu", "Name the QMP socket of the machine whose memory it is: --qemu SOCKET.");
        }
    }

    private ISourceMachine MachineOf(CommandContext context, OwnershipParts parts, IProgressSink progress)
    {
        if (context.Parse.GetValue(_qemu) is not { } socket)
        {
            return parts.Hypervisor.Commanded(CommandOf(context, _pause), CommandOf(context, _unpause));
        }

        TimeSpan limit = TimeSpan.FromSeconds(context.Parse.GetValue(_memoryTimeout) ?? DefaultMemorySeconds);
        MemoryRoute? memory = context.Parse.GetValue(_memoryUri) is { } uri ? new MemoryRoute(uri, limit) : null;
        return parts.Hypervisor.Qemu.Machine(QmpAddress.Of(socket), memory, progress);
    }

    private static double? ParseSlowdown(ArgumentResult result)
    {
        if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double times) && times is >= 1 and <= 1000)
        {
            return times;
        }

        result.AddError($"--max-slowdown {result.Tokens[0].Value}: a number from 1 to 1000, such as 4");
        return null;
    }

    /// <summary>A command as it is journaled and sent, where texts have a cap.</summary>
    private static string CommandOf(CommandContext context, Option<string> option)
    {
        string command = context.Parse.GetValue(option)!;
        return Encoding.UTF8.GetByteCount(command) <= HookCatalog.MaxText
            ? command
            : throw new DiskSyncException(
                FailureKind.Usage,
                $"{option.Name}: a command may have {HookCatalog.MaxText} bytes",
                "Put it into a script and name that.");
    }
}
