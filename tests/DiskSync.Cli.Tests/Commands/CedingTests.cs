using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>What migrate takes away at the source; real processes.</summary>
public sealed class CedingTests : IDisposable
{
    private static readonly byte[] Content = SampleImage.Create(1, 1 << 20);
    private readonly TempFolder _folder = new();

    public CedingTests()
    {
        Directory.CreateDirectory(_folder.File("data"));
        Directory.CreateDirectory(_folder.File("far"));
        Directory.CreateDirectory(_folder.File("other"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_source_that_is_named_by_a_symbolic_link_is_gone_under_every_name()
    {
        string real = _folder.Write("data/real.raw", Content);
        string link = _folder.File("a.img");
        File.CreateSymbolicLink(link, "data/real.raw");
        DisksyncResult moved = await MigrateAsync(link, _folder.File("far/"));
        Assert.True(moved.ExitCode == 0, moved.Error);
        Assert.Equal(Content, await File.ReadAllBytesAsync(_folder.File("far/a.img")));
        Assert.False(File.Exists(real));
        Assert.Equal(Content, await File.ReadAllBytesAsync(real + ".ceded-2"));

        // The file and its link are one image: neither moves a second time, also where somebody puts a copy back.
        await File.WriteAllBytesAsync(real, Content);
        foreach (string name in new[] { real, link })
        {
            Assert.NotEqual(0, (await MigrateAsync(name, _folder.File("other/"))).ExitCode);
        }

        Assert.Empty(Directory.GetFiles(_folder.File("other")));
        Assert.Contains("may not write", (await RunAsync("owner", link, "--report")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_source_with_hard_links_is_refused_before_it_is_copied_and_two_names_of_one_file_always()
    {
        string image = _folder.Write("a.img", Content);
        Tool.Run("coreutils", "ln", image, _folder.File("b.img"));
        DisksyncResult refused = await MigrateAsync(image, _folder.File("far/"));
        Assert.Equal((int)FailureKind.Preflight, refused.ExitCode);
        Assert.Contains("hard links", refused.Error, StringComparison.Ordinal);
        Assert.Contains("--accept-unfenced", refused.Error, StringComparison.Ordinal);

        DisksyncResult twice = await MigrateAsync(image, _folder.File("b.img"), _folder.File("far/"), "--accept-unfenced");
        Assert.Equal((int)FailureKind.Usage, twice.ExitCode);
        Assert.Contains("are the same file", twice.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.File("far")));

        Assert.Equal(0, (await MigrateAsync(image, _folder.File("far/"), "--accept-unfenced")).ExitCode);
        Assert.False(File.Exists(image));
    }

    private Task<DisksyncResult> MigrateAsync(params string[] arguments) =>
        RunAsync(["migrate", .. arguments, "--max-downtime", "60"]);

    private Task<DisksyncResult> RunAsync(params string[] arguments) =>
        DisksyncProcess.RunAsync([.. arguments, "--state", _folder.File("state")]);
}
