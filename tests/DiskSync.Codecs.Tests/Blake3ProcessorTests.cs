using System.Diagnostics;
using System.Globalization;

namespace DiskSync.Codecs.Tests;

/// <summary>
/// The same code on lesser processors: the runtime hides instructions from a child process, so that the paths for
/// them are run as well, which the machine at hand would never choose.
/// </summary>
public sealed class Blake3ProcessorTests
{
    [Theory]
    [InlineData("", 16)]
    [InlineData("DOTNET_EnableAVX512", 8)]
    [InlineData("DOTNET_EnableAVX2", 4)]
    [InlineData("DOTNET_EnableHWIntrinsic", 4)]
    public void The_hash_is_the_same_on_a_lesser_processor(string off, int atMost)
    {
        ProcessStartInfo info = new(Environment.ProcessPath!, ["exec", typeof(Program).Assembly.Location])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        if (off.Length > 0)
        {
            info.Environment[off] = "0";
        }

        using Process process = Process.Start(info)!;
        string[] lines = process.StandardOutput.ReadToEnd().TrimEnd().Split('\n');
        process.WaitForExit();

        Assert.Equal(0, process.ExitCode);
        Assert.InRange(int.Parse(lines[0], CultureInfo.InvariantCulture), 1, atMost);
        Assert.True(lines.Length > 2);
        string expected = Blake3Lanes.Digest(1).ToString();
        Assert.All(lines[1..], line => Assert.Equal(expected, line));
    }
}
