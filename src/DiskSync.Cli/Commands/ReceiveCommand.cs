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
    private readonly Option<bool> _stdio = new("--stdio")
    {
        Description = "serve one session on standard input and output; what ssh starts",
    };

    private readonly Option<string?> _listen = new("--listen")
    {
        Description = "serve sessions on a Unix socket: unix:SOCKET (0600: only this user may connect)",
        HelpName = "unix:SOCKET",
    };

    private readonly Option<string?> _root = new("--root")
    {
        Description = "folder below which images may be written, and nowhere else (needed with --listen; default with --stdio: the current folder)",
        HelpName = "DIR",
    };

    private readonly Option<string[]> _hooks = new("--hook")
    {
        Description = "a command that a peer may name to resume a guest, as NAME=CMD; may be given several times",
        HelpName = "NAME=CMD",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int> _hookTimeout = new("--hook-timeout")
    {
        Description = "most seconds a hook may take (default 60)",
        HelpName = "SECONDS",
        DefaultValueFactory = _ => 60,
    };

    private readonly Option<string?> _state = new("--state")
    {
        Description = "folder for journals of this host (default $DISKSYNC_STATE, /var/lib/disksync, or ~/.local/state/disksync)",
        HelpName = "DIR",
    };

    /// <summary>Builds the command.</summary>
    public ReceiveCommand()
        : base("receive")
    {
        foreach (Option option in new Option[] { _stdio, _listen, _root, _hooks, _hookTimeout, _state })
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
        + "At its start it finishes hand-overs that a crash has interrupted after this host had become the owner.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync receive --listen unix:/run/disksync.sock --root /srv/images", "for pushes and migrations from this host"),
        ("disksync receive --listen unix:/run/d.sock --root /srv --hook 'start=virsh resume web'", "with a hook that a migrate may name: --resume start"),
    ];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        bool stdio = context.Parse.GetValue(_stdio);
        string? listen = context.Parse.GetValue(_listen);
        if (stdio == (listen is not null))
        {
            throw new DiskSyncException(FailureKind.Usage, "receive needs one of --stdio and --listen", "See 'disksync receive --help'.");
        }

        string root = context.Parse.GetValue(_root)
            ?? (stdio ? "." : throw new DiskSyncException(
                FailureKind.Usage, "receive --listen needs --root", "Name the folder that peers may write below: --root DIR."));
        string state = StateFolder.Resolve(context.Parse.GetValue(_state));
        OwnershipParts parts = new(state, TimeSpan.FromSeconds(context.Parse.GetValue(_hookTimeout)), acceptUnfenced: true);
        (ReceiverHost host, ReceiverHandOver handOver) = ReceiverFactory.Create(
            root, state, parts, new HookCatalog(context.Parse.GetValue(_hooks)!, allowCommands: stdio), context);
        using Run run = new RunRegistry(state).Register(
            "receive", [Path.GetFullPath(root)], listen ?? "stdio", limit: null, next: null);
        foreach (string line in await handOver.RecoverAsync())
        {
            context.Output.Note(line);
        }

        return stdio
            ? await ServeStdioAsync(host, cancellation)
            : await ServeSocketAsync(host, SocketPath(listen!), context, cancellation);
    }

    private static async Task<int> ServeStdioAsync(ReceiverHost host, CancellationToken cancellation)
    {
        // Standard output is the protocol from here on; results and logs go to standard error only.
        StreamTransport transport = new(Console.OpenStandardInput(), Console.OpenStandardOutput(), "the source");
        await host.ServeAsync(transport, cancellation);
        return ExitCodes.Done;
    }

    private static async Task<int> ServeSocketAsync(
        ReceiverHost host, string path, CommandContext context, CancellationToken cancellation)
    {
        using UnixSocketListener listener = UnixSocketListener.Bind(path);
        context.Output.Note($"listening on unix:{path}");
        int sessions = 0;
        List<Task> serving = [];
        try
        {
            while (true)
            {
                ITransport transport = await listener.AcceptAsync(cancellation);
                sessions++;
                serving.RemoveAll(t => t.IsCompleted);
                serving.Add(ServeOneAsync(host, transport, context, cancellation));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }

        ReceiveReport report = new(path, sessions);
        context.Output.Result(report, CliJson.Default.ReceiveReport, output => output.WriteLine($"served {sessions} sessions"));
        return ExitCodes.Done;
    }

    private static async Task ServeOneAsync(
        ReceiverHost host, ITransport transport, CommandContext context, CancellationToken cancellation)
    {
        try
        {
            await host.ServeAsync(transport, cancellation);
        }
        catch (DiskSyncException exception)
        {
            // One session's end is not the receiver's.
            context.Output.Warning($"{exception.Message} {exception.Advice}".TrimEnd());
        }
    }

    private static string SocketPath(string listen) => listen.StartsWith("unix:", StringComparison.Ordinal) && listen.Length > 5
        ? listen[5..]
        : throw new DiskSyncException(FailureKind.Usage, $"--listen '{listen}' is not unix:SOCKET", "Write it as unix:/run/disksync.sock.");
}
