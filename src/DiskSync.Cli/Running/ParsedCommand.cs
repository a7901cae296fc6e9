using System.CommandLine;
using System.CommandLine.Parsing;
using DiskSync.Cli.Commands;
using DiskSync.Cli.Help;
using DiskSync.Cli.Output;
using DiskSync.Engine;
using Microsoft.Extensions.Logging;

namespace DiskSync.Cli.Running;

/// <summary>Parses a command line and runs the command it names.</summary>
internal static class ParsedCommand
{
    /// <summary>Runs; throws as <see cref="CliCommand.RunAsync"/> does.</summary>
    public static async Task<int> RunAsync(string[] args, CommandOutput output, CancellationToken cancellation)
    {
        // Before parsing, so that a command line that cannot be parsed is still answered in JSON.
        output.Json = args.Contains("--json", StringComparer.Ordinal);
        RootCommand root = BuildRoot(args);
        ParseResult parse = root.Parse(args);
        if (args[0].StartsWith("[suggest", StringComparison.Ordinal))
        {
            return Suggestions.Write(parse, args, output.Out);
        }

        if (parse.CommandResult.Command is not CliCommand command)
        {
            throw new DiskSyncException(FailureKind.Usage, FirstError(parse, args), "See 'disksync --help'.");
        }

        if (parse.GetValue(command.Common.Help))
        {
            CommandHelp.Write(command, output.Out);
            return ExitCodes.Done;
        }

        if (parse.Errors.Count > 0)
        {
            throw new DiskSyncException(
                FailureKind.Usage, FirstError(parse, args), $"See 'disksync {command.Name} --help'.");
        }

        output.Json = parse.GetValue(command.Common.Json);
        output.Quiet = parse.GetValue(command.Common.Quiet);
        output.Verbose = parse.GetValue(command.Common.Verbose);
        using var context = new CommandContext(parse, output);
        if (!output.Verbose)
        {
            return await command.RunAsync(context, cancellation).ConfigureAwait(false);
        }

        ILogger log = context.Loggers.CreateLogger("DiskSync.Cli");
        CliLog.CommandStarted(log, command.Name, AppVersion.Text);
        int code = await command.RunAsync(context, cancellation).ConfigureAwait(false);
        CliLog.CommandEnded(log, command.Name, code);
        return code;
    }

    /// <summary>The root with the one command that is asked for, or with all of them where that is not known.</summary>
    internal static RootCommand BuildRoot(string[] args)
    {
        var root = new RootCommand(RootHelp.Summary);
        root.Options.Clear();
        CommandEntry? named = CommandCatalog.Find(args[0]);
        foreach (CommandEntry entry in named is null ? CommandCatalog.All : [named])
        {
            root.Add(entry.Create());
        }

        return root;
    }

    private static string FirstError(ParseResult parse, string[] args)
    {
        if (parse.CommandResult.Command is RootCommand)
        {
            return args[0].StartsWith('-')
                ? $"'{args[0]}' is not an option of disksync itself; a command comes first"
                : $"'{args[0]}' is not a command of disksync{Suggestions.DidYouMean(args[0])}";
        }

        foreach (ParseError error in parse.Errors)
        {
            if (error.Message.Length > 0)
            {
                // The library lists allowed values one a line; ours are sentences.
                return string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return "the command line cannot be understood";
    }
}
