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
