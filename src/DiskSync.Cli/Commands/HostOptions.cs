using System.CommandLine;

namespace DiskSync.Cli.Commands;

/// <summary>Options that several commands have, each described once: this host's state and hooks, and the way to another host.</summary>
internal static class HostOptions
{
    /// <summary>How long a hook may take unless the user says otherwise, in seconds.</summary>
    public const double DefaultHookSeconds = 60;

    /// <summary><c>--state</c>.</summary>
    public static Option<string?> State() => new("--state")
    {
        Description = "folder for journals and runs of this host (default $DISKSYNC_STATE, /var/lib/disksync, or ~/.local/state/disksync)",
        HelpName = "DIR",
    };

    /// <summary><c>--rsh</c>.</summary>
    public static Option<string?> Rsh() => new("--rsh")
    {
        Description = "program that reaches HOST instead of ssh, with its options; split at spaces",
        HelpName = "CMD",
    };

    /// <summary><c>--remote-path</c>.</summary>
    public static Option<string> RemotePath() => new("--remote-path")
    {
        Description = "disksync on the other host, where it is not on PATH (default disksync)",
        HelpName = "PATH",
        DefaultValueFactory = _ => "disksync",
    };

    /// <summary><c>--keys</c>.</summary>
    public static Option<string?> Keys() => new("--keys")
    {
        Description = "folder with this host's key and the peers it trusts (default /etc/disksync for root, else ~/.config/disksync)",
        HelpName = "DIR",
    };

    /// <summary><c>--insecure</c>.</summary>
    /// <param name="description">What it is for in this command.</param>
    public static Option<bool> Insecure(string description) => new("--insecure") { Description = description };

    /// <summary><c>--hook</c>.</summary>
    /// <param name="description">What it is for in this command.</param>
    public static Option<string[]> Hooks(string description) => new("--hook")
    {
        Description = description,
        HelpName = "NAME=CMD",
        DefaultValueFactory = _ => [],
    };

    /// <summary><c>--hook-timeout</c>.</summary>
    public static Option<double?> HookTimeout() =>
        CliCommand.SecondsOption("--hook-timeout", "most seconds that a command may take (default 60)");

    /// <summary>The time limit of hooks.</summary>
    public static TimeSpan HookLimit(ParseResult parse, Option<double?> option) =>
        TimeSpan.FromSeconds(parse.GetValue(option) ?? DefaultHookSeconds);
}
