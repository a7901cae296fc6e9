using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Sources that cannot be copied: exit code 3, the image and the place, and what stands at the destination as it was.</summary>
public sealed class BadPushSourceTests : ImageFiles
{
    [Fact]
    public async Task An_empty_image_is_refused()
    {
        string empty = Folder.Write("empty.img", []);
        string old = Folder.Write("old.img", Old);

        AssertFailure(await DisksyncProcess.RunAsync("push", empty, old), 3, $"source {empty}", "is empty", "Check the path");
        AssertFailure(await DisksyncProcess.RunAsync("migrate", empty, old), 3, $"source {empty}", "is empty");

        Assert.Equal(Old, File.ReadAllBytes(old));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(65537)]
    [InlineData((3 << 20) + 1234)]
    public async Task A_length_that_is_no_multiple_of_anything_is_copied_and_proven(int length)
    {
        string odd = Folder.Write("odd.img", Now.AsSpan(0, length));
        string copy = Folder.File("copy.img");

        DisksyncResult run = await DisksyncProcess.RunAsync("push", odd, copy, "--json");

        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(length, run.Json.GetProperty("length").GetInt64());
        Assert.Equal(Now[..length], File.ReadAllBytes(copy));
    }

    [Fact]
    public async Task A_missing_image_and_one_that_may_not_be_read_are_named_with_the_user()
    {
        string copy = Folder.Write("copy.img", Old);
        string missing = Folder.File("missing.img");
        AssertFailure(await DisksyncProcess.RunAsync("push", missing, copy), 3, $"source open {missing}", "No such file");

        File.SetUnixFileMode(ImagePath, UnixFileMode.None);
        AssertFailure(
            await RunWithoutOverride("push", ImagePath, copy), 3, $"source open {ImagePath}", "Permission denied", "as user root", "Give root access");

        Assert.Equal(Old, File.ReadAllBytes(copy));
    }

    [Theory]
    [InlineData(2 << 20, "shrank")]
    [InlineData(16 << 20, "grew")]
    public async Task An_image_that_changes_its_length_while_it_is_copied_fails_the_push_and_harms_nothing(int length, string word)
    {
        string image = Folder.Write("vm.img", SampleImage.Noise(1, 8 << 20));
        string root = Directory.CreateDirectory(Folder.File("far")).FullName;
        string copy = Folder.Write("far/vm.img", Old);
        using DisksyncProcess push = DisksyncProcess.Start(["push", image, copy, "--limit", "4M", "--base", "none"]);
        await UntilAsync(() => File.Exists(Path.Join(root, "vm.img.partial.journal")) || push.Process.HasExited);
        using (FileStream file = File.OpenWrite(image))
        {
            file.SetLength(length);
        }

        AssertFailure(await push.WaitAsync(), 3, $"source {image}", "at offset", "run the same command again");

        Assert.Equal(Old, File.ReadAllBytes(copy));
        DisksyncResult again = await DisksyncProcess.RunAsync("push", image, copy);
        Assert.True(again.ExitCode == 0, $"{word}: {again}");
        Assert.Equal(File.ReadAllBytes(image), File.ReadAllBytes(copy));
    }

    [Fact]
    public async Task Unreadable_sectors_are_named_by_their_offset_and_nothing_is_sealed()
    {
        string backing = Folder.Write("backing.img", SampleImage.Noise(1, 4 << 20));
        string copy = Folder.Write("copy.img", Old);
        using LoopDevice disk = LoopDevice.FromFile(backing);
        using (FileStream file = File.OpenWrite(backing))
        {
            file.SetLength(2 << 20);
        }

        string state = Folder.File("state");
        AssertFailure(
            await DisksyncProcess.RunAsync("push", disk.Path, copy), 3, $"source {disk.Path}: cannot read at offset 2097152", "kernel log");
        AssertFailure(
            await DisksyncProcess.RunAsync("migrate", disk.Path, Folder.File("far.img"), "--accept-unfenced", "--state", state),
            3,
            $"source {disk.Path}: cannot read at offset 2097152",
            "kernel log");

        Assert.Equal(Old, File.ReadAllBytes(copy));
        Assert.False(File.Exists(Folder.File("far.img")));
        Assert.Empty(Directory.GetFiles(Folder.Path, "*.seal"));
    }
}
