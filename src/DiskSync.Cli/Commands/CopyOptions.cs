using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using DiskSync.Cli.Connecting;
using DiskSync.Cli.Running;
using DiskSync.Engine;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Cli.Commands;

/// <summary>The options that push and migrate share: how blocks travel, and what the target becomes.</summary>
internal sealed class CopyOptions
{
    private readonly Option<long?> _granularity = CliCommand.SizeOption(
        "--granularity",
        "block size, a power of two from 4K to 4M (default 64K)",
        size => BlockGeometry.IsValidGranularity(size) ? null : "a granularity is a power of two from 4K to 4M");

    private readonly Option<long?> _limit = CliCommand.SizeOption(
        "--limit", "most bytes a second to the destination, such as 50M; 'disksync status --limit' changes it while it runs (default: none)");

    private readonly Option<bool> _nice = new("--nice")
    {
        Description = "give way: to other traffic, to others who use the image's disk, and to other programs; never faster than --limit",
    };

    private readonly Option<int?> _connections = new("--connections")
    {
        Description = $"connections at once to a receiver that listens, 1 to {MoreConnections.Most} (default: more while more arrives with them)",
        HelpName = "N",
        CustomParser = ParseConnections,
    };

    private readonly Option<CompressionMode> _compress = new("--compress")
    {
        Description = "auto: batch by batch what makes the copy fastest; never; lz4 or always; zstd or zstd:LEVEL, 1 to 19 (default auto)",
        HelpName = "HOW",
        CustomParser = ParseCompression,
        DefaultValueFactory = _ => CompressionMode.Auto,
        CompletionSources = { "auto", "never", "lz4", "zstd", "always" },
    };

    private readonly Option<string?> _base = new("--base")
    {
        Description = "start from this image of the destination; 'none' starts empty (default: the one with the fewest differing blocks)",
        HelpName = "NAME",
    };

    private readonly Option<bool> _fresh = new("--fresh")
    {
        Description = "start again instead of going on with what an earlier run has staged",
    };

    private readonly Option<bool> _inPlace = new("--inplace")
    {
        Description = "write the target itself instead of a staged copy; a failure then leaves it half written",
    };

    private readonly Option<bool> _keepRounds = new("--keep-rounds")
    {
        Description = "keep the copy as it is at the end of each round, as NAME.round-N, where the destination's file system can clone; 'disksync export NAME --round N' there serves it",
    };

    private readonly Option<string?> _mode = new("--mode")
    {
        Description = "permission bits of the new image, octal (default: those of the image it replaces, else 0600)",
        HelpName = "MODE",
    };

    private readonly Option<string?> _owner = new("--owner")
    {
        Description = "user:group of the new image (default: those of the image it replaces)",
        HelpName = "USER:GROUP",
    };

    private readonly Option<string?> _rsh = HostOptions.Rsh();

    private readonly Option<string> _remotePath = HostOptions.RemotePath();

    private readonly LinkOptions _link = new();

    private readonly Option<string?> _state = HostOptions.State();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[]
            { _base, _fresh, _inPlace, _keepRounds, _granularity, _limit, _nice, _connections, _compress, _mode, _owner, _rsh, _remotePath, _state })
        {
            command.Add(option);
        }

        _link.AddTo(command);
    }

    /// <summary>The block size asked for.</summary>
    public int Granularity(ParseResult parse) => (int)(parse.GetValue(_granularity) ?? BlockGeometry.DefaultGranularity);

    /// <summary>How to send.</summary>
    public SenderOptions Sender(ParseResult parse, DestinationAddress address) => new()
    {
        Compression = parse.GetValue(_compress),
        IsThroughProgram = address.Kind == DestinationKind.Ssh,
        ExpectedLinkRate = address.StaysOnHost ? double.PositiveInfinity : CompressionPolicy.UnknownLinkRate,
        Limiter = new RateLimiter(parse.GetValue(_limit) ?? 0),
        KeepsRounds = parse.GetValue(_keepRounds),
    };

    /// <summary>The limits of the connections: with the sender's bandwidth limit.</summary>
    public static ConnectionOptions Limits(SenderOptions sender) =>
        new() { Limiter = sender.Limiter, AckDelays = new AckDelays() };

    /// <summary>Makes the copy nice where that was asked for.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="limits">What the connections have.</param>
    /// <param name="images">The images that are read.</param>
    /// <param name="next">Where progress goes.</param>
    /// <returns>Passes progress on, and ends when it is disposed; null where it was not asked for.</returns>
    public YieldMonitor? Nice(ParseResult parse, ConnectionOptions limits, IEnumerable<string> images, IProgressSink next) =>
        parse.GetValue(_nice) ? new YieldMonitor(limits.Limiter!, limits.AckDelays!, images, next) : null;

    /// <summary>How many connections were asked for; null where they are to grow.</summary>
    public int? Connections(ParseResult parse) => parse.GetValue(_connections);

    /// <summary>The base asked for.</summary>
    public BaseRequest Base(ParseResult parse) => parse.GetValue(_base) switch
    {
        null => BaseRequest.Auto,
        "none" => BaseRequest.None,
        string name => BaseRequest.Named(name),
    };

    /// <summary>How the target is to be written.</summary>
    public OpenFlags Flags(ParseResult parse) =>
        (parse.GetValue(_fresh) ? OpenFlags.Fresh : OpenFlags.None)
        | (parse.GetValue(_inPlace) ? OpenFlags.InPlace : OpenFlags.None);

    /// <summary>The permission bits asked for, or null.</summary>
    /// <exception cref="DiskSyncException">They are not octal permission bits.</exception>
    public UnixFileMode? Mode(ParseResult parse)
    {
        string? text = parse.GetValue(_mode);
        if (text is null)
        {
            return null;
        }

        try
        {
            uint bits = Convert.ToUInt32(text, 8);
            if (bits <= 0x1FF)
            {
                return (UnixFileMode)bits;
            }
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            // Told below.
        }

        throw new DiskSyncException(FailureKind.Usage, $"--mode '{text}' is not a mode", "Write it in octal, such as 0640.");
    }

    /// <summary>The owner asked for, or empty.</summary>
    public string Owner(ParseResult parse) => parse.GetValue(_owner) ?? string.Empty;

    /// <summary>The program that reaches another host, or null for ssh.</summary>
    public string? Rsh(ParseResult parse) => parse.GetValue(_rsh);

    /// <summary>disksync on the other host.</summary>
    public string RemotePath(ParseResult parse) => parse.GetValue(_remotePath)!;

    /// <summary>The way to a receiver on TCP.</summary>
    public TcpDialer Tcp(CommandContext context) => _link.Dialer(context);

    /// <summary>The key folder asked for, or null for the usual one.</summary>
    public KeyFolder? Keys(ParseResult parse) => _link.Keys(parse);

    /// <summary>The state folder asked for, or null.</summary>
    public string? State(ParseResult parse) => parse.GetValue(_state);

    private static int? ParseConnections(ArgumentResult result)
    {
        if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            && count is >= 1 and <= MoreConnections.Most)
        {
            return count;
        }

        result.AddError(string.Create(
            CultureInfo.InvariantCulture, $"--connections: '{result.Tokens[0].Value}' is not a number from 1 to {MoreConnections.Most}"));
        return null;
    }

    private static CompressionMode ParseCompression(ArgumentResult result)
    {
        if (CompressionMode.TryParse(result.Tokens[0].Value, out CompressionMode mode))
        {
            return mode;
        }

        result.AddError(string.Create(
            CultureInfo.InvariantCulture, $"--compress: '{result.Tokens[0].Value}' is not auto, never, lz4, always, zstd or zstd:LEVEL (1 to 19)"));
        return default;
    }
}
