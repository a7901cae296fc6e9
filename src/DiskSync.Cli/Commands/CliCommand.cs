using System.CommandLine;
using System.Globalization;
using DiskSync.Cli.Running;
using DiskSync.Engine;

namespace DiskSync.Cli.Commands;

/// <summary>One command of <c>disksync</c>: its arguments, its help and what it does; one file per command.</summary>
/// <remarks>
/// A command parses, calls the library and prints; it decides nothing about images. Failures are thrown
/// (<see cref="DiskSyncException"/>), never printed by the command itself.
/// </remarks>
internal abstract class CliCommand : Command
{
    // Longer than any hook or pause, and short enough for every clock that counts it.
    private const double MaxSeconds = 1e6;

    /// <summary>Names the command and gives it the options that all have.</summary>
    /// <param name="name">The word typed; its summary comes from <see cref="CommandCatalog"/>.</param>
    protected CliCommand(string name)
        : base(name, CommandCatalog.Find(name)?.Summary)
    {
        Common.AddTo(this);
    }

    /// <summary>The options that every command has.</summary>
    public CommonOptions Common { get; } = new();

    /// <summary>What the command does, in a paragraph or two separated by empty lines; shown by its <c>--help</c>.</summary>
    public abstract string Details { get; }

    /// <summary>Command lines that work, each with what it does.</summary>
    public virtual IReadOnlyList<(string CommandLine, string Meaning)> Examples => [];

    /// <summary>Does the work.</summary>
    /// <param name="context">Parsed values, output, progress, logs.</param>
    /// <param name="cancellation">Cancelled by Ctrl-C and SIGTERM.</param>
    /// <returns><see cref="ExitCodes.Done"/> or <see cref="ExitCodes.Different"/>; everything else is thrown.</returns>
    /// <exception cref="DiskSyncException">It failed; the kind is the exit code.</exception>
    public abstract Task<int> RunAsync(CommandContext context, CancellationToken cancellation);

    /// <summary>An option whose value is a size such as 64K (see <see cref="ByteSize"/>); null where it is not given.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What it sets; the default belongs in here.</param>
    /// <param name="check">Says what is wrong with a size, or null.</param>
    internal static Option<long?> SizeOption(string name, string description, Func<long, string?>? check = null) =>
        new(name)
        {
            Description = description,
            HelpName = "SIZE",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (!ByteSize.TryParse(text, out long bytes))
                {
                    result.AddError($"{name}: '{text}' is not a size; write it as 4096, 64K or 1.5GiB ({ByteSize.Units})");
                    return null;
                }

                if (check?.Invoke(bytes) is { } wrong)
                {
                    result.AddError($"{name}: {wrong}");
                    return null;
                }

                return bytes;
            },
        };

    /// <summary>An option whose value is a number of seconds.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it is, with the default.</param>
    internal static Option<double?> SecondsOption(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
                && seconds <= MaxSeconds)
            {
                return seconds;
            }

            result.AddError($"{name}: '{text}' is not a number of seconds, such as 30 or 1.5");
            return null;
        },
    };

    /// <summary>An option whose value is a count.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it is, with the default.</param>
    internal static Option<int?> CountOption(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            {
                return count;
            }

            result.AddError($"{name}: '{text}' is not a number");
            return null;
        },
    };
}
