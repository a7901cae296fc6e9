using System.CommandLine;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Runs;
using DiskSync.Engine.Transports;
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Migration;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync receive</c>: the other end of push and migrate.</summary>
internal sealed class ReceiveCommand : CliCommand
{
    // Longer than a source tries to come back.
    private static readonly ReceiverOptions ListeningOptions = new()
    {
        MaxConnections = 2 * MoreConnections.Most,
        Linger = TimeSpan.FromSeconds(45),
    };

    private readonly Option<bool> _stdio = new("--stdio")
    {
        Description = "serve one session on standard input and output; what ssh starts",
    };

    private readonly Option<string[]> _listen = new("--listen")
    {
        Description = "serve sessions on a Unix socket, unix:SOCKET (0600: only this user may connect), or on TCP with TLS 1.3, tcp:ADDRESS:PORT (tcp::PORT for every address); may be given several times",
        HelpName = "WHERE",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string?> _root = new("--root")
    {
        Description = "folder below which images may be written, and nowhere else (needed with --listen; default with --stdio: the current folder)",
        HelpName = "DIR",
    };

    private readonly Option<string[]> _hooks = HostOptions.Hooks(
        "a command that a peer may name to resume a guest, as NAME=CMD, or its QEMU, as NAME=qmp:SOCKET; may be given several times");

    private readonly Option<double?> _hookTimeout = HostOptions.HookTimeout();

    private readonly Option<string?> _keys = HostOptions.Keys();

    private readonly Option<bool> _insecure = HostOptions.Insecure(
        "on TCP: no TLS; whoever reaches the port may write below --root, and everybody on the way can read and change the images");

    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Builds the command.</summary>
    public ReceiveCommand()
        : base("receive")
    {
        foreach (Option option in new Option[] { _stdio, _listen, _root, _hooks, _hookTimeout, _keys, _insecure, _state })
        {
            Add(option);
        }
    }

    /// <inheritdoc/>
    public override string Details =>
        "Takes images from push and migrate on another host, or from another process of this one. A peer names images "
        + "below --root, and cannot leave it by '..', an absolute path or a symbolic link. It never sends a command: over a "
        + "socket it may name a hook that was given here with --hook; over --stdio, where the peer came in as a user who could "
        + "run anything, the resume command runs as that user."
        + "\n\n"
        + "On TCP both sides prove their keys: a source is admitted whose key 'disksync trust' has recorded here. Whoever is "
        + "admitted may write anything below --root. --insecure takes both away, for TCP alone."
        + "\n\n"
        + "At its start it finishes hand-overs that a crash has interrupted after this host had become the owner.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync receive --listen unix:/run/disksync.sock --root /srv/images", "for pushes and migrations from this host"),
        ("disksync receive --listen tcp::7110 --root /srv/images", "for other hosts; after 'disksync keygen' and 'disksync trust'"),
        ("disksync receive --listen unix:/run/d.sock --root /srv --hook 'start=virsh resume web'", "with a hook that a migrate may name: --resume start"),
        ("disksync receive --listen tcp::7110 --root /srv --hook web=qmp:/run/web.qmp", "with a QEMU, started with -S -incoming, that a migrate may name: --resume web"),
    ];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        bool stdio = context.Parse.GetValue(_stdio);
        ListenAddress[] listen = [.. context.Parse.GetValue(_listen)!.Select(ListenAddress.Parse)];
        if (stdio == (listen.Length > 0))
        {
            throw new DiskSyncException(FailureKind.Usage, "receive needs one of --stdio and --listen", "See 'disksync receive --help'.");
        }

        return stdio
            ? await ServeStdioAsync(context, cancellation)
            : await ServeListenersAsync(listen, context, cancellation);
    }

    private async Task<int> ServeStdioAsync(CommandContext context, CancellationToken cancellation)
    {
        // Standard output is the protocol from here on; results and logs go to standard error only.
        StreamTransport transport = new(Console.OpenStandardInput(), Console.OpenStandardOutput(), "the source");
        ReceiverHost host;
        Run run;
        try
        {
            (host, run) = await StartAsync(context, context.Parse.GetValue(_root) ?? ".", "stdio", allowCommands: true);
        }
        catch (DiskSyncException failure)
        {
            await TellSourceAsync(transport, failure, cancellation);
            throw;
        }

        using (run)
        {
            await host.ServeAsync(transport, cancellation);
        }

        return ExitCodes.Done;
    }

    /// <summary>Opens what the options name and finishes what a crash interrupted.</summary>
    private async Task<(ReceiverHost Host, Run Run)> StartAsync(CommandContext context, string root, string place, bool allowCommands)
    {
        string state = StateFolder.Resolve(context.Parse.GetValue(_state));
        OwnershipParts parts = new(state, HostOptions.HookLimit(context.Parse, _hookTimeout), acceptUnfenced: true);
        (ReceiverHost host, ReceiverHandOver handOver) = ReceiverFactory.Create(
            root, state, parts, new HookCatalog(context.Parse.GetValue(_hooks)!, allowCommands), context,
            options: allowCommands ? null : ListeningOptions);
        Run run = new RunRegistry(state).Register("receive", [Path.GetFullPath(root)], place, limit: null, next: null);
        try
        {
            foreach (string line in await handOver.RecoverAsync())
            {
                context.Output.Note(line);
            }

            return (host, run);
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    private static async Task TellSourceAsync(StreamTransport transport, DiskSyncException failure, CancellationToken cancellation)
    {
        try
        {
            await ReceiverHost.TurnAwayAsync(transport, failure, cancellation);
        }
        catch (DiskSyncException)
        {
            // Nobody is there to be told; standard error has it.
        }
    }

    private async Task<int> ServeListenersAsync(ListenAddress[] listen, CommandContext context, CancellationToken cancellation)
    {
        string root = context.Parse.GetValue(_root) ?? throw new DiskSyncException(
            FailureKind.Usage, "receive --listen needs --root", "Name the folder that peers may write below: --root DIR.");
        (ReceiverHost host, Run run) = await StartAsync(context, root, string.Join(", ", listen.AsEnumerable()), allowCommands: false);
        using Run registered = run;
        ReceiverListeners listeners = new(host, context, context.Parse.GetValue(_keys), context.Parse.GetValue(_insecure));
        ReceiveReport report = await listeners.ServeAsync(listen, cancellation);
        context.Output.Result(report, json => json.ReceiveReport, output => output.WriteLine($"served {report.Connections} connections"));
        return ExitCodes.Done;
    }
}
