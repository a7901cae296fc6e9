using System.CommandLine;
using System.Net.Security;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Exports;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Targets;
using DiskSync.Engine.Transports;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;
using DiskSync.Linux;
using DiskSync.Nbd.Server;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync export</c>: an image over NBD.</summary>
internal sealed class ExportCommand : CliCommand
{
    // A client on the same host sends some five requests meanwhile.
    private const long GatheringNanoseconds = 25_000;

    private readonly Argument<string> _image = ImageArguments.Image("IMAGE", "the image to serve");

    private readonly Option<string[]> _listen = new("--listen")
    {
        Description = "serve on a Unix socket, unix:SOCKET (0600: only this user may connect), or on TCP, tcp:ADDRESS:PORT, with TLS; may be given several times",
        HelpName = "WHERE",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = "what clients call the export (default: the image's file name); a client that names none gets it too",
        HelpName = "NAME",
    };

    private readonly Option<bool> _readOnly = new("--read-only")
    {
        Description = "refuse every write; the image may be in use",
    };

    private readonly Option<int?> _round = new("--round")
    {
        Description = "serve the copy as it was at the end of a round, read-only: of a push or migrate to here with --keep-rounds",
        HelpName = "N",
    };

    private readonly Option<bool> _incoming = new("--incoming")
    {
        Description = "serve an image that is still to arrive by a migrate: clients may connect before, and read and write once this host owns it",
    };

    private readonly Option<long?> _size = SizeOption(
        "--size", "with --incoming: how long the image will be (default: as its copy; until that has begun, export waits)");

    private readonly Option<bool> _failMissing = new("--fail-missing")
    {
        Description = "with --incoming: while the source of an image that is not whole yet cannot be reached, what needs a part that is missing fails (EIO) instead of waiting; 'disksync tail' changes it while the export runs",
    };

    private readonly Option<bool> _track = new("--track")
    {
        Description = "keep track of what is written, so that 'disksync migrate' of the image on this host scans it only once, and its pause holds no scan",
    };

    private readonly Option<string?> _keys = HostOptions.Keys();

    private readonly Option<string?> _certificates = new("--tls-certificates")
    {
        Description = "on TCP: TLS by certificates, for other programs' clients: a folder with ca-cert.pem, server-cert.pem and server-key.pem; whoever has a certificate of that authority gets in",
        HelpName = "DIR",
    };

    private readonly Option<bool> _insecure = HostOptions.Insecure(
        "on TCP: no TLS; whoever reaches the port may read the image, and write it unless --read-only, and everybody on the way too");

    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Builds the command.</summary>
    public ExportCommand()
        : base("export")
    {
        Add(_image);
        foreach (Option option in new Option[] { _listen, _name, _readOnly, _round, _track, _incoming, _failMissing, _size, _keys, _certificates, _insecure, _state })
        {
            Add(option);
        }
    }

    /// <inheritdoc/>
    public override string Details =>
        "Serves an image by the NBD protocol until it is stopped: to QEMU, libnbd's tools, nbd-client and whatever else speaks it. "
        + "Many requests are under way at once, on as many connections as a client opens; what was answered on one is made durable by "
        + "a flush on any."
        + "\n\n"
        + "For writing this host must be the image's owner, and nobody else may use it. With --track a migrate of this host may "
        + "hand it over meanwhile: the export tells it what is written, holds writes in the pause, and refuses them for good once "
        + "the image is another host's. Without, no hand-over can begin."
        + "\n\n"
        + "On TCP both sides prove who they are: by disksync's own keys (our commands with nbds://, which must be trusted here with "
        + "'disksync trust'), or by certificates of one authority. A Unix socket is open to this user alone, without TLS."
        + "\n\n"
        + "Nothing is durable before the client's flush (or FUA) is answered, and one that failed makes all later ones fail."
        + "\n\n"
        + "With --incoming it is the disk of a guest that is still to arrive (a QEMU started with -incoming): every read and write fails "
        + "until the hand-over has made this host the owner of IMAGE and the image is finished, and is served from then on, the resume command included."
        + "\n\n"
        + "With both, what is written here is known from the first write on, so that a migrate back to where the image came from reads "
        + "and sends only that. An export with --track that is stopped in order, and not killed, hands this on to the next one.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync export vm.img --listen unix:/run/vm.sock", "for a QEMU on this host: nbd+unix:///?socket=/run/vm.sock"),
        ("disksync export vm.img --track --listen unix:/run/vm.sock", "the same for a machine that will move: its last round costs only what it has just written"),
        ("disksync export vm.img --read-only --listen unix:/run/vm.sock", "to look at: nbdinfo, nbdcopy, qemu-img compare"),
        ("disksync export vm.img --incoming --track --listen unix:/run/vm.sock", "at the destination of a migrate, for a QEMU that waits with -S -incoming; the way back costs only what it writes"),
        ("disksync export vm.img --round 2 --listen unix:/run/look.sock", "at a destination, while a migrate with --keep-rounds goes on or after it: for whoever checks by other means"),
        ("disksync export vm.img --listen tcp::10809", "for 'disksync push nbds://thishost/vm.img ...' on a host that is trusted here"),
    ];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        int? round = context.Parse.GetValue(_round);
        string image = context.Parse.GetRequiredValue(_image);
        string path = round is { } kept ? PathOf(image, kept) : image;
        ListenAddress[] listen = [.. context.Parse.GetValue(_listen)!.Select(ListenAddress.Parse)];
        if (listen.Length == 0)
        {
            throw new DiskSyncException(FailureKind.Usage, "export needs --listen", "Say where to listen, such as --listen unix:/run/vm.sock.");
        }

        SslServerAuthenticationOptions? tls = TlsOf(context, listen);
        string state = StateFolder.Resolve(context.Parse.GetValue(_state));
        string name = context.Parse.GetValue(_name) ?? NameOf(image);
        bool readOnly = context.Parse.GetValue(_readOnly) || round is not null;
        if (!readOnly && NbdImage.IsOne(path))
        {
            throw new DiskSyncException(
                FailureKind.Usage, $"source {path}: it is an NBD export already", "Have clients connect to its server, or serve it with --read-only.");
        }

        bool isIncoming = context.Parse.GetValue(_incoming);
        bool track = context.Parse.GetValue(_track);
        long? size = context.Parse.GetValue(_size);
        bool failMissing = context.Parse.GetValue(_failMissing);
        CheckTogether(readOnly, isIncoming, track, size, failMissing);
        using Run run = new RunRegistry(state).Register("export", [NbdImage.FullName(path)], string.Join(", ", listen.AsEnumerable()), limit: null, next: null);
        OwnershipParts parts = new(state, TimeSpan.FromSeconds(HostOptions.DefaultHookSeconds), acceptUnfenced: true);
        if (isIncoming)
        {
            return await ServeIncomingAsync(context, path, name, listen, tls, parts, cancellation);
        }

        using ExportRight? right = readOnly ? null : parts.Export(path);
        using IBlockDevice? opened = readOnly ? ImageArguments.Open(context.Output, path) : null;
        (TrackedExport? begun, IBlockDevice? whole) = track ? TrackedExport.Begin(right!, parts, context.Output) : default;
        using TrackedExport? tracked = begun;
        using BlockDeviceExport export = new(whole ?? right?.Image ?? opened!, name, readOnly, tracked?.Since);
        ExportReport report = await ServeAsync(context, path, export, listen, tls, () => tracked?.EndLending(), cancellation);

        // What clients had begun has ended. Nothing was promised without a client's flush; a stop in order leaves nothing to chance all the same.
        right?.Image.Flush();
        tracked?.Save(right!.CloseImage);
        Report(context, report);
        return ExitCodes.Done;
    }

    private async Task<int> ServeIncomingAsync(
        CommandContext context,
        string path,
        string name,
        ListenAddress[] listen,
        SslServerAuthenticationOptions? tls,
        OwnershipParts parts,
        CancellationToken cancellation)
    {
        IncomingImage image = parts.Incoming(path);
        TrackedExport? tracked = null;
        Func<long, IncomingTracking>? track = context.Parse.GetValue(_track)
            ? length => (tracked = TrackedExport.Await(image, length, parts, context.Output)).Incoming()
            : null;
        using IncomingExport export = await IncomingExports.OpenAsync(
            context.Output, image, path, name, context.Parse.GetValue(_size), context.Parse.GetValue(_failMissing), track, cancellation);
        using TrackedExport? ends = tracked;
        using TailListener? sources = TryListenForSources(context, parts.TailSocketOf(path), export);
        ExportReport report = await ServeAsync(
            context,
            path,
            export,
            listen,
            tls,
            () =>
            {
                tracked?.EndLending();
                export.EndWaiting();
            },
            cancellation);
        export.Flush();
        tracked?.Save(image.CloseImage);
        Report(context, report);
        return ExitCodes.Done;
    }

    private static void CheckTogether(bool readOnly, bool isIncoming, bool track, long? size, bool failMissing)
    {
        string refusal = isIncoming && readOnly ? "--incoming is for a guest that writes: not with --read-only"
            : track && readOnly ? "nothing is written with --read-only, so there is nothing to --track"
            : size is not null && !isIncoming ? "--size is for --incoming"
            : failMissing && !isIncoming ? "--fail-missing is for --incoming"
            : string.Empty;
        if (refusal.Length > 0)
        {
            throw new DiskSyncException(FailureKind.Usage, refusal, "Leave one of the two out.");
        }
    }

    // What comes whole needs none of it.
    private static TailListener? TryListenForSources(CommandContext context, string socket, IncomingExport export)
    {
        try
        {
            return TailListener.Start(socket, export.FindTailed, context.Output.Warning);
        }
        catch (DiskSyncException exception)
        {
            context.Output.Warning($"what an on-demand tail leaves at its source could not be fetched by this export: {exception.Message}. {exception.Advice}");
            return null;
        }
    }

    private static string PathOf(string image, int round)
    {
        string path = NumberedNames.Round.NameOf(image, (ulong)Math.Max(0, round));
        if (!File.Exists(path))
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                $"there is no {path}: round {round} was not kept",
                "Copy with --keep-rounds, to a file system that can clone files (XFS, btrfs); its report says what was kept.");
        }

        return path;
    }

    private static string NameOf(string image) => !NbdImage.IsOne(image) ? Path.GetFileName(image)
        : NbdImage.Parse(image).ExportName is { Length: > 0 } name ? name : "disk";

    private static void Report(CommandContext context, ExportReport report) => context.Output.Result(
        report, json => json.ExportReport, output => output.WriteLine($"served {report.Connections} connections"));

    private static async Task<ExportReport> ServeAsync(
        CommandContext context, string path, INbdExport export, ListenAddress[] listen, SslServerAuthenticationOptions? tls, Action letGo, CancellationToken cancellation)
    {
        NbdServerOptions options = new()
        {
            Tls = tls,
            RequiresTls = tls is not null,
            Pause = static () => ThreadScheduling.SleepExactly(GatheringNanoseconds),
        };
        using NbdServer server = new([export], options);
        using ExportListener listener = ExportListener.Start(listen, server, context.Output.Warning);
        foreach (ListenAddress address in listener.Addresses)
        {
            context.Output.Note($"serving {path} as '{export.Name}'{(export.IsReadOnly ? ", read-only," : string.Empty)} on {address}");
        }

        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = cancellation.Register(stopped.SetResult);
        await stopped.Task;

        // First: a write that is held for a migration, or a read that waits for a source, would keep its connection from ending.
        letGo();
        return new ExportReport(path, export.Name, export.IsReadOnly, [.. listener.Addresses.Select(a => a.ToString())], listener.Served);
    }

    /// <returns>How TLS is done on TCP; null where there is none.</returns>
    private SslServerAuthenticationOptions? TlsOf(CommandContext context, ListenAddress[] listen)
    {
        ListenAddress[] tcp = [.. listen.Where(a => a.IsTcp)];
        if (tcp.Length == 0)
        {
            return null;
        }

        string? certificates = context.Parse.GetValue(_certificates);
        if (!context.Parse.GetValue(_insecure))
        {
            return certificates is null ? NbdTls.Server(KeyFolder.Resolve(context.Parse.GetValue(_keys))) : NbdTls.Server(certificates);
        }

        if (certificates is not null)
        {
            throw new DiskSyncException(FailureKind.Usage, "--insecure and --tls-certificates exclude each other", "Leave one of them out.");
        }

        context.Output.Alarm($"--insecure: whoever reaches {string.Join(", ", tcp.AsEnumerable())} may read the image, and write it unless it is read-only");
        return null;
    }
}
