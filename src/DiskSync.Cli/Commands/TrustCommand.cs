using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Peers;
using DiskSync.Formats.Peers;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync trust</c>: which hosts may come, and which key answers where.</summary>
internal sealed class TrustCommand : CliCommand
{
    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "a host: trusted as a receiver and admitted as a source; or HOST:PORT: trusted as that receiver alone",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string?> _fingerprint = new("FINGERPRINT")
    {
        Description = "its key, as 'disksync keygen' prints it there: SHA256:...",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<bool> _list = new("--list") { Description = "print who is trusted" };

    private readonly Option<string?> _remove = new("--remove")
    {
        Description = "trust that host, or HOST:PORT, no longer",
        HelpName = "NAME",
    };

    private readonly Option<string?> _keys = HostOptions.Keys();

    /// <summary>Builds the command.</summary>
    public TrustCommand()
        : base("trust")
    {
        Add(_name);
        Add(_fingerprint);
        Add(_list);
        Add(_remove);
        Add(_keys);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Records the key of another host, by its fingerprint, so that both can speak TLS. A receiver on TCP admits every source "
        + "whose key is recorded for a host; a push accepts the receiver at HOST:PORT only with the key that is recorded for "
        + "HOST:PORT, or else for HOST. A name recorded with a port never admits a source."
        + "\n\n"
        + "It counts at once, for receivers that run as well; sessions that are under way go on.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync trust web1 SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "web1 may push to this host"),
        ("disksync trust --list", "who may"),
        ("disksync trust --remove web1", "it may no longer"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string? name = context.Parse.GetValue(_name);
        string? fingerprint = context.Parse.GetValue(_fingerprint);
        bool list = context.Parse.GetValue(_list);
        string? remove = context.Parse.GetValue(_remove);
        if ((name is not null ? 1 : 0) + (list ? 1 : 0) + (remove is not null ? 1 : 0) != 1 || (name is not null && fingerprint is null))
        {
            throw new DiskSyncException(
                FailureKind.Usage, "trust needs NAME and FINGERPRINT, or --list, or --remove NAME", "See 'disksync trust --help'.");
        }

        PeerStore peers = new(KeyFolder.Resolve(context.Parse.GetValue(_keys)));
        string message = name is not null ? Add(peers, ParseName(name), ParseFingerprint(fingerprint!))
            : remove is not null ? Remove(peers, ParseName(remove))
            : string.Empty;
        TrustReport report = new(
            peers.Folder.PeersPath,
            message,
            [.. peers.Read().Select(e => new TrustedPeer(e.Name.ToString(), e.Fingerprint.Text, e.AdmitsSources))]);
        context.Output.Result(report, json => json.TrustReport, report.Write);
        return Task.FromResult(ExitCodes.Done);
    }

    private static string Add(PeerStore peers, PeerName name, Fingerprint fingerprint)
    {
        PeerEntry entry = new(name, fingerprint);
        return !peers.Add(entry) ? $"{name} is trusted with this key already"
            : entry.AdmitsSources ? $"{name} is trusted: as a receiver, and as a source that may write below the --root of receivers here"
            : $"{name} is trusted as a receiver";
    }

    private static string Remove(PeerStore peers, PeerName name) => peers.Remove(name)
        ? $"{name} is trusted no longer"
        : throw new DiskSyncException(FailureKind.Usage, $"{name} is not trusted here", "'disksync trust --list' prints who is.");

    private static PeerName ParseName(string text) => PeerName.TryParse(text) ?? throw new DiskSyncException(
        FailureKind.Usage, $"'{text}' is not a name of a host", "Write HOST, HOST:PORT, or an IPv6 address as [ADDRESS]:PORT.");

    private static Fingerprint ParseFingerprint(string text) => Fingerprint.TryParse(text) ?? throw new DiskSyncException(
        FailureKind.Usage,
        $"'{text}' is not a fingerprint",
        "It is SHA256: and 43 characters, as 'disksync keygen --show' prints it on that host.");
}
