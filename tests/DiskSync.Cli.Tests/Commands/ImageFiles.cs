using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>A folder with a base and a changed image, for tests that run the program.</summary>
public abstract class ImageFiles : IDisposable
{
    protected ImageFiles()
    {
        byte[] content = new byte[(3 << 20) + 1234];
        var random = new Random(4);
        random.NextBytes(content.AsSpan(0, 2 << 20));
        Old = content;
        Now = (byte[])content.Clone();
        Now[100_000] ^= 1;
        Now.AsSpan(300_000, 5000).Fill(7);
        Now.AsSpan(1 << 20, 65536).Clear();
        BasePath = Folder.Write("base.img", Old);
        ImagePath = Folder.Write("image.img", Now);
    }

    protected TempFolder Folder { get; } = new();

    protected byte[] Old { get; }

    protected byte[] Now { get; }

    protected string BasePath { get; }

    protected string ImagePath { get; }

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Waits until something has happened.</summary>
    /// <exception cref="TimeoutException">It did not.</exception>
    internal static async Task UntilAsync(Func<bool> happened)
    {
        using CancellationTokenSource patience = new(DisksyncProcess.DefaultTimeout);
        while (!happened())
        {
            if (patience.IsCancellationRequested)
            {
                throw new TimeoutException("what the test waits for did not happen");
            }

            await Task.Delay(10);
        }
    }

    /// <summary>Checks how a run failed: its exit code, what its message and advice say, and that nothing was printed as a result.</summary>
    protected static void AssertFailure(DisksyncResult run, int exitCode, params string[] said)
    {
        Assert.True(run.ExitCode == exitCode, $"{exitCode} was expected: {run}");
        Assert.Empty(run.Output);
        Assert.All(said, text => Assert.True(run.Error.Contains(text, StringComparison.Ordinal), $"'{text}' is not said: {run}"));

        // The log is for --verbose: a message that comes twice hides the one that helps.
        Assert.DoesNotContain("DiskSync.Receiver", run.Error, StringComparison.Ordinal);
    }

    /// <summary>Runs as a root whom file modes bind like anybody else.</summary>
    protected static Task<DisksyncResult> RunWithoutOverride(params string[] arguments) => DisksyncProcess.RunAsync(
        arguments,
        info =>
        {
            string[] command = [.. info.ArgumentList];
            info.FileName = "setpriv";
            info.ArgumentList.Clear();
            info.ArgumentList.Add("--bounding-set=-dac_override,-dac_read_search");
            info.ArgumentList.Add("dotnet");
            foreach (string argument in command)
            {
                info.ArgumentList.Add(argument);
            }
        });
}
