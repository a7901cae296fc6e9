using System.CommandLine;
using System.Globalization;
using DiskSync.Cli.Commands;
using DiskSync.Cli.Running;

namespace DiskSync.Cli.Help;

/// <summary>The manual page, written from the same texts as <c>--help</c>, so that it cannot say anything else.</summary>
/// <remarks>roff with the man(7) macros; judged by <c>mandoc -T lint</c> and groff.</remarks>
internal static class ManPage
{
    /// <summary>Writes the page.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine($".TH DISKSYNC 1 \"\" \"disksync {AppVersion.Text}\"");
        Section(output, "NAME");
        output.WriteLine(Escape("disksync - " + RootHelp.Summary.TrimEnd('.').ToLowerInvariant()));
        Section(output, "SYNOPSIS");
        output.WriteLine(".B disksync");
        output.WriteLine("COMMAND [ARGUMENTS] [OPTIONS]");
        Section(output, "DESCRIPTION");
        output.WriteLine(Escape(RootHelp.Summary));
        output.WriteLine("An IMAGE is a raw file or a block device.");
        output.WriteLine("Results go to standard output; progress, warnings and errors to standard error.");
        Section(output, "COMMANDS");
        CliCommand? any = null;
        foreach (CommandGroup group in Enum.GetValues<CommandGroup>())
        {
            CommandEntry[] entries = [.. CommandCatalog.All.Where(entry => entry.Group == group)];
            if (entries.Length > 0)
            {
                output.WriteLine($".SS {Escape(RootHelp.Heading(group))}");
            }

            foreach (CommandEntry entry in entries)
            {
                CliCommand command = entry.Create();
                any ??= command;
                WriteCommand(output, entry, command);
            }
        }

        Section(output, "OPTIONS OF EVERY COMMAND");
        WriteOptions(output, any!.Options.Where(option => CommandHelp.IsCommon(any, option)));
        Section(output, "SIZES");
        output.WriteLine(Escape(Engine.ByteSize.Units + "."));
        Section(output, "EXIT STATUS");
        foreach ((int code, string _, string meaning) in ExitCodes.Table)
        {
            Term(output, code.ToString(CultureInfo.InvariantCulture), meaning);
        }

        Section(output, "SEE ALSO");
        output.WriteLine(".BR b3sum (1),");
        output.WriteLine(".BR rsync (1),");
        output.WriteLine(".BR losetup (8)");
    }

    private static void WriteCommand(TextWriter output, CommandEntry entry, CliCommand command)
    {
        output.WriteLine(".TP");
        output.WriteLine($".B {Escape($"disksync {entry.Name} {entry.Synopsis}".TrimEnd() + " [OPTIONS]")}");
        bool first = true;
        foreach (string paragraph in command.Details.Split("\n\n"))
        {
            if (!first)
            {
                output.WriteLine(".IP");
            }

            first = false;
            output.WriteLine(Escape(paragraph));
        }

        output.WriteLine(".RS");
        foreach (Argument argument in command.Arguments)
        {
            Term(output, argument.Name, argument.Description ?? string.Empty);
        }

        WriteOptions(output, command.Options.Where(option => !CommandHelp.IsCommon(command, option)));
        foreach ((string line, string meaning) in command.Examples)
        {
            Term(output, line, meaning);
        }

        output.WriteLine(".RE");
    }

    private static void WriteOptions(TextWriter output, IEnumerable<Option> options)
    {
        foreach (Option option in options.Where(option => !option.Hidden))
        {
            Term(output, CommandHelp.Label(option), option.Description ?? string.Empty);
        }
    }

    private static void Section(TextWriter output, string name) => output.WriteLine($".SH {name}");

    private static void Term(TextWriter output, string term, string text)
    {
        output.WriteLine(".TP");
        output.WriteLine($".B {Escape(term)}");
        output.WriteLine(Escape(text));
    }

    /// <summary>Text that roff takes as it stands.</summary>
    private static string Escape(string text)
    {
        string escaped = text
            .Replace("\\", "\\e", StringComparison.Ordinal)
            .Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("\"", "\\(dq", StringComparison.Ordinal)
            .Replace("~", "\\(ti", StringComparison.Ordinal)
            .Replace("\n", " ", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? "\\&" + escaped : escaped;
    }
}
