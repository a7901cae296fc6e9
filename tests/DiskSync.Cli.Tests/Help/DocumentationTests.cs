using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using DiskSync.Cli.Commands;
using DiskSync.Cli.Help;
using DiskSync.Cli.Output;
using DiskSync.Cli.Running;

namespace DiskSync.Cli.Tests.Help;

/// <summary>What is written about the commands is whole and true.</summary>
public sealed class DocumentationTests
{
    [Fact]
    public void Help_and_manual_know_every_command_and_option()
    {
        using var help = new StringWriter();
        using var manual = new StringWriter();
        RootHelp.Write(help);
        ManPage.Write(manual);
        string roff = manual.ToString().Replace("\\-", "-", StringComparison.Ordinal);
        foreach (CommandEntry entry in CommandCatalog.All)
        {
            CliCommand command = entry.Create();
            Assert.Equal(entry.Name, command.Name);
            Assert.Contains("  " + entry.Name, help.ToString(), StringComparison.Ordinal);
            Assert.Contains($"disksync {entry.Name}", roff, StringComparison.Ordinal);
            Assert.All(
                command.Options.Where(option => !option.Hidden),
                option => Assert.Contains(option.Name, roff, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_line_of_every_help_fits_80_columns()
    {
        using var pages = new StringWriter();
        RootHelp.Write(pages);
        foreach (CommandEntry entry in CommandCatalog.All)
        {
            CommandHelp.Write(entry.Create(), pages);
        }

        // Example command lines are never broken: they are there to be copied.
        Assert.All(
            pages.ToString().Split('\n').Where(line => !line.StartsWith("  disksync ", StringComparison.Ordinal)),
            line => Assert.True(line.Length <= 80, line));
    }

    [Fact]
    public void Every_argument_and_option_says_what_it_is()
    {
        foreach (CliCommand command in CommandCatalog.All.Select(entry => entry.Create()))
        {
            Assert.All(command.Arguments, argument => Assert.False(string.IsNullOrEmpty(argument.Description)));
            Assert.All(command.Options, option => Assert.False(string.IsNullOrEmpty(option.Description)));
            Assert.DoesNotContain(command.Options, option => option.ValueType != typeof(bool) && option.HelpName is null);
        }
    }

    [Fact]
    public void Commands_md_has_every_command_json_property_and_exit_code()
    {
        string text = File.ReadAllText(Path.Join(Root(), "docs", "commands.md"));
        Assert.All(
            CommandCatalog.All,
            entry => Assert.Contains($"## disksync {entry.Name}", text, StringComparison.Ordinal));

        foreach ((int code, string name, string _) in ExitCodes.Table)
        {
            Assert.Contains($"| {code.ToString(CultureInfo.InvariantCulture)} | `{name}` |", text, StringComparison.Ordinal);
        }

        JsonTypeInfo[] documented =
        [
            CliJson.Default.DiffResult, CliJson.Default.MapResult, CliJson.Default.VerifyResult, CliJson.Default.DeltaResult,
            CliJson.Default.ApplyReport, CliJson.Default.ErrorEvent, CliJson.Default.ProgressEvent, CliJson.Default.LogEvent,
        ];
        foreach (JsonPropertyInfo property in documented.SelectMany(type => type.Properties))
        {
            Assert.Contains($"`{property.Name}`", text, StringComparison.Ordinal);
        }
    }

    private static string Root()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Join(at.FullName, "DiskSync.sln")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new DirectoryNotFoundException("the tests run outside of the project");
    }
}
