using System.CommandLine;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Peers;

namespace DiskSync.Cli.Commands;

/// <summary><c>disksync keygen</c>: makes this host's key and certificate.</summary>
internal sealed class KeygenCommand : CliCommand
{
    private readonly Option<bool> _show = new("--show")
    {
        Description = "print the fingerprint of the key that is there, and make none",
    };

    private readonly Option<bool> _force = new("--force")
    {
        Description = "replace the key that is there; every peer then has to trust the new one",
    };

    private readonly Option<string?> _keys = HostOptions.Keys();

    /// <summary>Builds the command.</summary>
    public KeygenCommand()
        : base("keygen")
    {
        Add(_show);
        Add(_force);
        Add(_keys);
    }

    /// <inheritdoc/>
    public override string Details =>
        "Makes the key by which other hosts know this one over TCP (ECDSA on P-256, host.key, readable by you alone) and the "
        + "self-signed certificate that carries it (host.crt), and prints its fingerprint and what to run on the other host. "
        + "There is no authority and no end date: a peer is whoever has the key that was trusted by name, until that is taken back."
        + "\n\n"
        + "--show prints the fingerprint again, to be compared with what another host reports.";

    /// <inheritdoc/>
    public override IReadOnlyList<(string CommandLine, string Meaning)> Examples =>
    [
        ("disksync keygen", "once on each host"),
        ("disksync keygen --show", "is it the same that the other host has found?"),
    ];

    /// <inheritdoc/>
    public override Task<int> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        bool show = context.Parse.GetValue(_show);
        bool force = context.Parse.GetValue(_force);
        if (show && force)
        {
            throw new DiskSyncException(FailureKind.Usage, "--show makes no key, so --force has no meaning with it", "Give one of them.");
        }

        KeyFolder folder = KeyFolder.Resolve(context.Parse.GetValue(_keys));
        using HostKey key = show ? HostKey.Load(folder) : HostKey.Create(folder, force);
        KeyReport report = new(
            folder.KeyPath, folder.CertificatePath, key.Fingerprint.Text, $"disksync trust {Environment.MachineName} {key.Fingerprint}");
        context.Output.Result(report, json => json.KeyReport, report.Write);
        return Task.FromResult(ExitCodes.Done);
    }
}
