using DiskSync.Cli.Commands;
using DiskSync.Cli.Running;

namespace DiskSync.Cli.Help;

/// <summary>What <c>disksync --help</c> prints; needs no parser, so it is quick.</summary>
internal static class RootHelp
{
    /// <summary>What the program is, in a line.</summary>
    public const string Summary = "Compare, copy and hand over virtual machines' disk images.";

    private const int Column = 26;

    /// <summary>Writes the page.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine("usage: disksync COMMAND [ARGUMENTS] [OPTIONS]");
        output.WriteLine();
        output.WriteLine(Summary);
        output.WriteLine("An IMAGE is a raw file or a block device.");
        foreach (CommandGroup group in Enum.GetValues<CommandGroup>())
        {
            WriteGroup(output, group);
        }

        output.WriteLine();
        output.WriteLine("Options of every command:");
        TextLayout.Term(output, "--json", "one JSON object on standard output (docs/commands.md); progress, warnings and errors as JSON lines on standard error", Column);
        TextLayout.Term(output, "-q, --quiet", "errors only", Column);
        TextLayout.Term(output, "-v, --verbose", "log every step, with event ids, on standard error", Column);
        TextLayout.Term(output, "-h, --help", "the command's own help, with examples", Column);
        TextLayout.Term(output, "--version", "without a command: the version", Column);
        output.WriteLine();
        TextLayout.Paragraphs(output, "Sizes: " + Engine.ByteSize.Units + ".", 0);
        output.WriteLine();
        output.WriteLine("Exit codes:");
        foreach ((int code, string _, string meaning) in ExitCodes.Table)
        {
            TextLayout.Term(output, code.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(2), meaning, 6);
        }
    }

    /// <summary>A group's heading.</summary>
    public static string Heading(CommandGroup group) => group switch
    {
        CommandGroup.Compare => "Look, and change nothing",
        CommandGroup.Delta => "Copy by way of a file",
        CommandGroup.Copy => "Copy to another host",
        CommandGroup.State => "Who may write, what is under way",
        _ => "This program",
    };

    private static void WriteGroup(TextWriter output, CommandGroup group)
    {
        bool any = false;
        foreach (CommandEntry entry in CommandCatalog.All)
        {
            if (entry.Group != group)
            {
                continue;
            }

            if (!any)
            {
                output.WriteLine();
                output.WriteLine(Heading(group) + ":");
                any = true;
            }

            TextLayout.Term(output, $"{entry.Name} {entry.Synopsis}".TrimEnd(), entry.Summary, Column);
        }
    }
}
