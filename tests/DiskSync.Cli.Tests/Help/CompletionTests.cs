using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Help;

/// <summary>Completion in a real bash, with the script that the program prints.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public CompletionTests()
    {
        string program = _folder.Write("disksync", System.Text.Encoding.ASCII.GetBytes(
            $"#!/bin/sh\nexec dotnet '{DisksyncProcess.DllPath}' \"$@\"\n"));
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        _folder.Write("vm one.img", [1]);
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("disksync ver", "verify")]
    [InlineData("disksync diff --gran", "--granularity")]
    [InlineData("disksync map --ou", "--output")]
    [InlineData("disksync completion z", "zsh")]
    [InlineData("disksync diff vm", "vm one.img")]
    public void Bash_completes_commands_options_values_and_files(string line, string expected)
    {
        // The variables are those that bash itself sets before it calls the function.
        string script =
            $$"""
            cd '{{_folder.Path}}' && PATH="$PWD:$PATH"
            eval "$(disksync completion bash)"
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            read -ra COMP_WORDS <<< "$COMP_LINE"
            COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
            _disksync
            printf '%s\n' "${COMPREPLY[@]}"
            """;

        string found = Tool.Run("bash", "bash", "--norc", "-c", script);

        Assert.Equal(expected, found.Trim());
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Each_shell_has_a_script(string shell)
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("completion", shell);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("[suggest:", run.Output, StringComparison.Ordinal);
    }
}
