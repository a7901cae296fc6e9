using DiskSync.Engine;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>What migrate takes away at the source, and what clean leaves there; real processes.</summary>
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

    [Fact]
    public async Task Clean_never_takes_an_image_that_was_renamed_and_not_handed_over()
    {
        string image = _folder.Write("c.img", Content);
        OwnershipParts parts = new(_folder.File("state"), TimeSpan.FromSeconds(20), acceptUnfenced: true);
        using (SourceAttempt attempt = parts.Source().Begin([image], "far", string.Empty))
        {
            await parts.Source().PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
            await parts.Names.MakeUnusableAsync(image, attempt.Epoch);
        }

        DisksyncResult named = await RunAsync("clean", image);
        Assert.Equal((int)FailureKind.OwnershipInDoubt, named.ExitCode);
        Assert.Contains("disksync owner", named.Error, StringComparison.Ordinal);
        foreach (string command in new[] { "clean", "status" })
        {
            DisksyncResult listed = await RunAsync(command, "--root", _folder.Path);
            Assert.Equal(0, listed.ExitCode);
            Assert.Contains("this host still owns", listed.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("the destination owns", listed.Output, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await RunAsync("owner", image)).ExitCode);
        Assert.Equal(Content, await File.ReadAllBytesAsync(image));
    }

    [Fact]
    public async Task Clean_takes_an_image_that_the_destination_owns_only_by_its_name()
    {
        string image = _folder.Write("c.img", Content);
        Assert.Equal(0, (await MigrateAsync(image, _folder.File("far/"))).ExitCode);
        DisksyncResult listed = await RunAsync("clean", "--root", _folder.Path, "--left-overs");
        Assert.Contains("handed over with epoch 2", listed.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(image + ".ceded-2"));
        Assert.Equal(0, (await RunAsync("clean", image)).ExitCode);
        Assert.False(File.Exists(image + ".ceded-2"));
        Assert.Equal(Content, await File.ReadAllBytesAsync(_folder.File("far/c.img")));
    }

    private Task<DisksyncResult> MigrateAsync(params string[] arguments) =>
        RunAsync(["migrate", .. arguments, "--max-downtime", "60"]);

    private Task<DisksyncResult> RunAsync(params string[] arguments) =>
        DisksyncProcess.RunAsync([.. arguments, "--state", _folder.File("state")]);
}
