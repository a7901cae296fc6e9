using System.CommandLine;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Running;
using DiskSync.Engine.Peers;

namespace DiskSync.Cli.Commands;

/// <summary>The options of every command that reaches a receiver on TCP.</summary>
internal sealed class LinkOptions
{
    private readonly Option<string?> _keys = HostOptions.Keys();

    private readonly Option<bool> _trustNew = new("--trust-new")
    {
        Description = "disksync://: trust a receiver that is not known yet, unseen, and record its key; one whose key has changed is refused all the same",
    };

    private readonly Option<bool> _insecure = HostOptions.Insecure(
        "disksync://: plain TCP; everybody on the way can read and change the image, and nobody proves who he is");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_keys);
        command.Add(_trustNew);
        command.Add(_insecure);
    }

    /// <summary>The key folder asked for, or null for the usual one.</summary>
    public KeyFolder? Keys(ParseResult parse) => parse.GetValue(_keys) is { } folder ? KeyFolder.Resolve(folder) : null;

    /// <summary>The way to a receiver on TCP.</summary>
    public TcpDialer Dialer(CommandContext context) => new(
        context,
        context.Parse.GetValue(_keys),
        context.Parse.GetValue(_trustNew),
        context.Parse.GetValue(_insecure));
}
