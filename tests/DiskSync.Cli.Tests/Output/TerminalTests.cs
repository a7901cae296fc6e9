using System.Text.RegularExpressions;
using DiskSync.Cli.Tests.Commands;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Output;

/// <summary>The live display on a real terminal: script(1) makes one and records what is written to it.</summary>
public sealed partial class TerminalTests : ImageFiles
{
    [Theory]
    [InlineData(60)]
    [InlineData(132)]
    public async Task A_push_shows_bar_rate_remaining_time_dirty_blocks_and_ratio(int columns)
    {
        string image = Folder.Write("noise.img", SampleImage.Noise(1, 8 << 20));
        string recording = Folder.File("recording");
        DisksyncResult run = await DisksyncProcess.RunAsync(
            [],
            info =>
            {
                info.FileName = "script";
                info.Environment["TERM"] = "xterm";
                string command = $"stty cols {columns} rows 24; exec dotnet '{DisksyncProcess.DllPath}' push '{image}' '{Folder.File("copy.img")}' --limit 2M --base none";
                info.ArgumentList.Clear();
                foreach (string argument in (ReadOnlySpan<string>)["--quiet", "--return", "--flush", "--command", command, recording])
                {
                    info.ArgumentList.Add(argument);
                }
            });

        Assert.True(run.ExitCode == 0, run.ToString());
        string[] lines = [.. Control().Replace(File.ReadAllText(recording), string.Empty).Split('\n', '\r').Where(l => !l.StartsWith("Script ", StringComparison.Ordinal))];
        string[] rows = [.. lines.Where(line => line.StartsWith("bulk copy ", StringComparison.Ordinal))];
        Assert.Contains(rows, row => Figures().IsMatch(row));
        Assert.Contains(lines, line => Details().IsMatch(line));
        Assert.All(rows, row => Assert.True(row.Length <= columns, row));
        Assert.Contains(lines, line => line.Contains("copy.img: identical", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Control();

    [GeneratedRegex(@"^bulk copy ━+─+ \d+% of 8\.00 MiB, [\d.]+ [KM]iB/s, [\d.]+ s left")]
    private static partial Regex Figures();

    [GeneratedRegex(@"\d+ dirty blocks, [\d.]+ [KM]iB sent, ratio 1\.0")]
    private static partial Regex Details();
}
