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
using DiskSync.Handoff.Hooks;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync owner</c>: who may write an image, what is in doubt, and the way out.</summary>
internal sealed class OwnerCommand : CliCommand
{
    private readonly Argument<string> _image = new("IMAGE")
    {
        Description = "the image, under the name that it has when it is usable (not NAME.ceded-EPOCH, not NAME.partial)",
    };

    private readonly Option<bool> _report = new("--report") { Description = "only say how it stands; resolve nothing" };
    private readonly Option<bool> _force = new("--force")
    {
        Description = "take the image here by your word that the other host is fenced and can never write it again",
    };

    private readonly Option<bool> _return = new("--return")
    {
        Description = "hand back: at the destination to the source, at the source take back what the destination has not taken",
    };

    private readonly Option<bool> _discard = new("--discard-writes")
    {
        Description = "with --return, at a destination that is not whole yet: hand back although its machine has run; what was written here is lost",
    };

    private readonly Option<bool> _yes = new("--yes") { Description = "do not ask before --force or --discard-writes" };
    private readonly Option<string?> _destination = new("--destination")
    {
        Description = "where the destination can be reached now, where that has changed since the attempt",
        HelpName = "DEST",
    };

    private readonly Option<string[]> _hooks = HostOptions.Hooks(
        "the receiver's hooks, so that a resume that failed can be tried again; as in 'disksync receive'");

    private readonly Option<double?> _hookTimeout = HostOptions.HookTimeout();

    private readonly Option<string?> _rsh = HostOptions.Rsh();
    private readonly Option<string> _remotePath = HostOptions.RemotePath();
    private readonly LinkOptions _link = new();

    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Builds the command.</summary>
    public OwnerCommand()
        : base("owner")
    {
        Add(_image);
        foreach (Option option in new Option[]
            { _report, _force, _return, _discard, _yes, _destination, _hooks, _hookTimeout, _rsh, _remotePath, _state })
        {
            Add(option);
        }

        _link.AddTo(this);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Says who may write an image and goes on from the last durable record, as far as this host may by itself: an attempt "
        + "that was cut off before the source had ceded is called off and the machine unpaused; one that was ceded is asked about "
        + "at the destination and completed or taken back; one that this host owns is finished and its machine resumed."
        + "\n\n"
        + "Where another host owns an image and still fetches parts of it from here (migrate --tail), it goes on serving them until "
        + "that host has all."
        + "\n\n"
        + "Only where the source has ceded, the destination has not taken over, and no link exists do both sides stay paused. Then "
        + "--force needs your word that the other host is fenced: powered off, or cut off from the disk for good. If it is not, two "
        + "machines will write the same disk, and nothing can mend that.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync owner web.img", "resolve what a crash has left open"),
        ("disksync owner web.img --report --json", "only look"),
        ("disksync owner web.img --return", "at the destination, where its machine will not start: hand back"),
        ("disksync owner web.img --return --discard-writes", "at a destination that will never be whole: hand back without what was written there"),
    ];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string path = context.Parse.GetRequiredValue(_image);
        bool force = context.Parse.GetValue(_force);
        bool giveBack = context.Parse.GetValue(_return);
        if (force && giveBack)
        {
            throw new DiskSyncException(FailureKind.Usage, "--force and --return exclude each other", "See 'disksync owner --help'.");
        }

        bool discard = context.Parse.GetValue(_discard);
        if (discard && !giveBack)
        {
            throw new DiskSyncException(FailureKind.Usage, "--discard-writes goes with --return", "See 'disksync owner --help'.");
        }

        string state = StateFolder.Resolve(context.Parse.GetValue(_state));
        string identity = ImageIdentity.Of(path);
        OwnershipParts parts = new(state, HostOptions.HookLimit(context.Parse, _hookTimeout), acceptUnfenced: true);
        using FileTargetProvider provider = new(NbdImage.IsOne(path) ? "/" : Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/", state)
        {
            NbdTarget = NbdImage.IsOne(path) ? path : null,
            Keys = _link.Keys(context.Parse),
        };
        Handoff.Ownership.OwnerCommand owner = parts.Command(
            provider, new HookCatalog(context.Parse.GetValue(_hooks)!, allowCommands: true));
        OwnerReport report = owner.Report(identity);
        if (report.Verdict == OwnershipVerdict.Unseen && !NbdImage.IsOne(path) && !File.Exists(path) && !File.Exists(path + ".partial"))
        {
            throw new DiskSyncException(
                FailureKind.Preflight,
                $"{path}: there is no such image, and the ownership journal in {state} knows nothing of one",
                "Check the path, and --state.");
        }

        if (context.Parse.GetValue(_report))
        {
            return Print(context, new OwnerResult(report, string.Empty, Resolved: true));
        }

        if (force)
        {
            Confirm(context, identity);
            return Print(context, await owner.ForceAsync(identity));
        }

        if (discard)
        {
            ConfirmLoss(context, report);
        }

        string where = context.Parse.GetValue(_destination) ?? owner.PeerToAsk(identity);
        Dialer dialer = DialerOf(context, parts, state);
        await using SourceSession? session = await AskPeerAsync(context, where, dialer, cancellation);
        SessionHandOverLink? link = session is null ? null : new SessionHandOverLink(session);
        OwnerResult result = giveBack
            ? await owner.ReturnAsync(identity, link, discard, cancellation)
            : await owner.ResolveAsync(identity, link, cancellation);
        return Print(context, giveBack || result.Report.Verdict != OwnershipVerdict.Pinned
            ? result
            : await ServeAsync(context, owner, parts, dialer, where, identity, result, cancellation));
    }

    /// <summary>Somebody owns it who needs what is here: that goes on for as long as it takes.</summary>
    private static async Task<OwnerResult> ServeAsync(
        CommandContext context,
        Handoff.Ownership.OwnerCommand owner,
        OwnershipParts parts,
        Dialer dialer,
        string where,
        string identity,
        OwnerResult result,
        CancellationToken cancellation)
    {
        DestinationAddress address = DestinationAddress.Parse(where);
        PinnedServing serving = new(
            parts,
            token => dialer.DialAsync(address, Guid.NewGuid(), null, token),
            token => dialer.OpenAsync(address, token),
            context,
            context.Progress);
        return await serving.RunAsync(identity, cancellation) is { } ended
            ? new OwnerResult(owner.Report(identity), ended.Message, ended.State is HandOverState.Done or HandOverState.SourceRuns)
            : result;
    }

    private Dialer DialerOf(CommandContext context, OwnershipParts parts, string state) => new(
        context,
        context.Parse.GetValue(_rsh),
        context.Parse.GetValue(_remotePath)!,
        local => ReceiverFactory.CreateLocal(local, state, parts, new HookCatalog([], allowCommands: true), context, [], _link.Keys(context.Parse)),
        _link.Dialer(context));

    private static async Task<SourceSession?> AskPeerAsync(CommandContext context, string where, Dialer dialer, CancellationToken cancellation)
    {
        if (where.Length == 0)
        {
            return null;
        }

        try
        {
            return await dialer.DialAsync(DestinationAddress.Parse(where), Guid.NewGuid(), null, cancellation);
        }
        catch (DiskSyncException exception)
        {
            context.Output.Warning($"the destination {where} cannot be asked: {exception.Message}");
            return null;
        }
    }

    /// <summary>Names what is lost, and asks for the word.</summary>
    private void ConfirmLoss(CommandContext context, OwnerReport report)
    {
        string lost = TailLoss.Describe(report);
        context.Output.Warning(lost);
        if (context.Parse.GetValue(_yes))
        {
            return;
        }

        if (Console.IsInputRedirected || context.Output.Json)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                "--discard-writes needs your word, and there is nobody to ask",
                "Make sure that nobody needs what was written here, then add --yes.");
        }

        context.Output.Error.Write("Type 'discard' to go on: ");
        if (!string.Equals(Console.ReadLine()?.Trim(), "discard", StringComparison.Ordinal))
        {
            throw new DiskSyncException(FailureKind.Interrupted, "nothing was changed");
        }
    }

    private void Confirm(CommandContext context, string identity)
    {
        if (context.Parse.GetValue(_yes))
        {
            return;
        }

        if (Console.IsInputRedirected || context.Output.Json)
        {
            throw new DiskSyncException(
                FailureKind.Usage,
                "--force needs your word, and there is nobody to ask",
                "Make sure that the other host is fenced, then add --yes.");
        }

        context.Output.Error.Write(
            $"{identity}: is the other host powered off, or cut off from this image for good? Two writers destroy it. Type 'fenced' to go on: ");
        if (!string.Equals(Console.ReadLine()?.Trim(), "fenced", StringComparison.Ordinal))
        {
            throw new DiskSyncException(FailureKind.Interrupted, "nothing was changed");
        }
    }

    private static int Print(CommandContext context, OwnerResult result)
    {
        OwnerOutput report = OwnerOutput.Of(result);
        context.Output.Result(report, json => json.OwnerOutput, output =>
        {
            if (result.Message.Length > 0)
            {
                output.WriteLine(result.Message);
            }

            foreach (string line in result.Report.Lines)
            {
                output.WriteLine(line);
            }
        });
        return result.Resolved ? ExitCodes.Done : (int)FailureKind.OwnershipInDoubt;
    }
}
