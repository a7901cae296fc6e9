using System.CommandLine;
using DiskSync.Cli.Commands;

namespace DiskSync.Cli.Help;

/// <summary>What <c>disksync COMMAND --help</c> prints: usage, details, arguments, options, examples.</summary>
internal static class CommandHelp
{
    private const int Column = 26;

    /// <summary>Writes the page.</summary>
    public static void Write(CliCommand command, TextWriter output)
    {
        CommandEntry? entry = CommandCatalog.Find(command.Name);
        output.WriteLine($"usage: disksync {$"{command.Name} {entry?.Synopsis}".TrimEnd()} [OPTIONS]");
        output.WriteLine();
        TextLayout.Paragraphs(output, command.Details, 0);
        if (command.Arguments.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Arguments:");
            foreach (Argument argument in command.Arguments)
            {
                TextLayout.Term(output, argument.Name, argument.Description ?? string.Empty, Column);
            }
        }

        List<Option> own = [.. command.Options.Where(option => !IsCommon(command, option))];
        if (own.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Options:");
            WriteOptions(output, own);
        }

        output.WriteLine();
        output.WriteLine("Options of every command:");
        WriteOptions(output, command.Options.Where(option => IsCommon(command, option)));
        if (command.Examples.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Examples:");
            foreach ((string line, string meaning) in command.Examples)
            {
                output.WriteLine($"  {line}");
                TextLayout.Paragraphs(output, meaning, 6);
            }
        }

        output.WriteLine();
        output.WriteLine("Exit codes: see 'disksync --help'.");
    }

    /// <summary>Whether an option is one that every command has.</summary>
    public static bool IsCommon(CliCommand command, Option option) =>
        option == command.Common.Json || option == command.Common.Quiet
        || option == command.Common.Verbose || option == command.Common.Help;

    /// <summary>An option's names and value as they are typed: <c>-o, --output FILE</c>.</summary>
    public static string Label(Option option)
    {
        string names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(name => name.Length));
        return names + (option.ValueType == typeof(bool) ? string.Empty : " " + (option.HelpName ?? "VALUE"));
    }

    private static void WriteOptions(TextWriter output, IEnumerable<Option> options)
    {
        foreach (Option option in options)
        {
            if (option.Hidden)
            {
                continue;
            }

            TextLayout.Term(output, Label(option), option.Description ?? string.Empty, Column);
        }
    }
}
