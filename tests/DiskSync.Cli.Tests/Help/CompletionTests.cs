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
    [InlineData("disksync ver", "disksync verify ")]
    [InlineData("disksync diff --gran", "disksync diff --granularity ")]
    [InlineData("disksync completion z", "disksync completion zsh ")]
    [InlineData("disksync push --compress al", "disksync push --compress always ")]
    [InlineData("disksync diff vm", @"disksync diff vm\ one.img ")]
    public async Task Zsh_completes_at_its_prompt(string line, string expected)
    {
        DisksyncResult script = await DisksyncProcess.RunAsync("completion", "zsh");
        _folder.Write("_disksync", System.Text.Encoding.UTF8.GetBytes(script.Output));
        _folder.Write(".zshrc",
            """
            fpath=("$ZDOTDIR" $fpath)
            path=("$ZDOTDIR" $path)
            cd "$ZDOTDIR"
            autoload -Uz compinit && compinit -u -D
            finish() { print -r -- "<<$BUFFER>>"; exit }
            zle -N finish
            bindkey '^X' finish
            print READY
            """u8);

        // A real interactive zsh on a terminal of zsh's own making: the line, Tab, and a key that tells what became of it.
        string found = Tool.Run("zsh", "zsh", "-f", "-c",
            $$"""
            export ZDOTDIR='{{_folder.Path}}' TERM=dumb
            zmodload zsh/zpty
            zpty shell zsh -d -i
            zpty -r -m shell out '*READY*'
            zpty -w -n shell $'{{line}}\t\x18'
            zpty -r -m shell out '*<<*>>*'
            print -r -- "${${out##*<<}%%>>*}"
            """);

        Assert.Equal(expected, found + " ");
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
