using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Running;

/// <summary>The command line as a whole, as a user meets it.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Help_goes_to_standard_output_and_publishes_the_exit_codes()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("--help");

        Assert.Equal(0, run.ExitCode);
        Assert.Empty(run.Error);
        Assert.Contains("usage: disksync COMMAND", run.Output, StringComparison.Ordinal);
        Assert.Contains(" 8  ownership in doubt", run.Output, StringComparison.Ordinal);
        Assert.Contains("70  a bug", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_command_the_help_goes_to_standard_error_and_the_exit_code_is_2()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync();

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.Contains("usage: disksync COMMAND", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_command_names_the_closest_one()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("completoin", "bash");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("did you mean 'completion'?", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_with_json_is_one_object_on_standard_error_and_nothing_on_standard_output()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("completion", "tcsh", "--json");

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(run.Output);
        Assert.Equal("usage", run.JsonError.GetProperty("kind").GetString());
        Assert.Equal(2, run.JsonError.GetProperty("exitCode").GetInt32());
        Assert.Contains("tcsh", run.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_that_is_too_long_for_the_journal_is_refused_before_anything_begins()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("migrate", "no.img", "there/", "--unpause", new string('x', 5000));

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--unpause: a command may have 4000 bytes", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verbose_logs_carry_event_ids()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("completion", "bash", "--verbose");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("[1000 CommandStarted]", run.Error, StringComparison.Ordinal);
        Assert.Contains("[1001 CommandEnded]", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_behind_standard_output_is_a_destination_error()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync(
            [],
            info =>
            {
                info.FileName = "sh";
                info.ArgumentList.Clear();
                info.ArgumentList.Add("-c");
                info.ArgumentList.Add($"dotnet '{DisksyncProcess.DllPath}' completion bash > /dev/full");
            });

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("standard output: cannot write", run.Error, StringComparison.Ordinal);
    }
}
