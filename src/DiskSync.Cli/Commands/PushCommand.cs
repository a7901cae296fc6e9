using System.CommandLine;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Runs;
using DiskSync.Engine.SavedMaps;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync push</c>: one proven copy of an image.</summary>
internal sealed class PushCommand : CliCommand
{
    private readonly Argument<string> _image = new("IMAGE") { Description = "the image: a raw file, a block device or an NBD URI" };
    private readonly Argument<string> _destination = new("DEST")
    {
        Description = "PATH, HOST:PATH (over ssh), disksync://HOST:PORT/NAME (TLS), unix:SOCKET:NAME or an NBD URI; a folder keeps the image's own name",
    };

    private readonly CopyOptions _copy = new();

    private readonly Option<bool> _rescan = new("--rescan")
    {
        Description = "read all of the source, even where its saved map shows that nobody has written it",
    };

    /// <summary>Builds the command.</summary>
    public PushCommand()
        : base("push")
    {
        Add(_image);
        Add(_destination);
        Add(_rescan);
        _copy.AddTo(this);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Copies an image to another place and proves that both are identical. The copy starts from a base that the "
        + "destination already holds, and only blocks that differ travel; holes and zeros never do. The copy is staged as "
        + "NAME.partial and takes its name only when it is whole, read back and sealed, so an image that stood there before "
        + "is never harmed by a push that fails. Run again after a failure, it goes on from what is durable."
        + "\n\n"
        + "After a proven copy the map of the source is saved. As long as nobody can have written the source since, which the "
        + "kernel tells, the next push believes that map instead of reading the source; a destination that still has the same "
        + "image is not even opened. Some blocks of both are read at random each time, and a map that is not true is thrown away."
        + "\n\n"
        + "An image that is being written while it is pushed is copied block by block as it was read. For a running "
        + "machine use 'disksync migrate'.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync push vm.img backup:/srv/images/", "over ssh, into a folder"),
        ("disksync push vm.img unix:/run/disksync.sock:vm.img --limit 50M", "to a receiver that listens"),
        ("disksync push vm.img /mnt/copy.img --base debian.img", "start from /mnt/debian.img"),
        ("disksync push 'nbd+unix:///?socket=/run/qcow2.sock' backup:/srv/images/vm.img", "what qemu-nbd or nbdkit serves, raw"),
    ];

    /// <inheritdoc/>
    public override async Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string path = context.Parse.GetRequiredValue(_image);
        DestinationAddress address = DestinationAddress.Parse(context.Parse.GetRequiredValue(_destination));
        SenderOptions sender = _copy.Sender(context.Parse, address);
        string state = StateFolder.Resolve(_copy.State(context.Parse));
        using IBlockDevice source = SourceOpener.Open(path, context, _copy.Keys(context.Parse));
        PushRun.RefuseEmpty(source);
        ConnectionOptions limits = CopyOptions.Limits(sender);
        await using YieldMonitor? nice = _copy.Nice(context.Parse, limits, [path], context.Progress);
        using Run run = new RunRegistry(state).Register(
            "push", [NbdImage.FullName(path)], address.ToString(), sender.Limiter, nice ?? context.Progress);
        Dialer dialer = new(
            context,
            _copy.Rsh(context.Parse),
            _copy.RemotePath(context.Parse),
            local => ReceiverFactory.CreateForPush(local, state, context, [path], _copy.Keys(context.Parse)),
            _copy.Tcp(context))
        {
            Connections = _copy.Connections(context.Parse),
            Limits = limits,
        };
        await using PushPreparation preparation = new(Request(context, address, source, path, state), cancellation);
        PushResult result;
        await using (SourceSession session = await dialer.DialAsync(
            address, Guid.NewGuid(), new PeerProgress(run).Report, cancellation))
        {
            result = await PushRun.RunAsync(session, preparation, sender, run, cancellation);
        }

        context.EndProgress();
        if (result.Basis.Warning.Length > 0)
        {
            context.Output.Warning(result.Basis.Warning);
        }

        if (result.Notice.Length > 0)
        {
            context.Output.Note(result.Notice);
        }

        PushReport report = PushReport.Of(path, address.ToString(), source.Length, result);
        context.Output.Result(report, json => json.PushReport, report.Write);
        return ExitCodes.Done;
    }

    private TransferRequest Request(
        CommandContext context, DestinationAddress address, IBlockDevice source, string path, string state) =>
        new(source, address.NameFor(path), new BlockGeometry(source.Length, _copy.Granularity(context.Parse)))
        {
            Flags = _copy.Flags(context.Parse),
            Base = _copy.Base(context.Parse),
            Mode = _copy.Mode(context.Parse),
            Owner = _copy.Owner(context.Parse),
            Maps = new SavedMapStore(state),
            Rescan = context.Parse.GetValue(_rescan),
        };
}
