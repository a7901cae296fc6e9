using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Destinations that cannot take an image: refused (6) or failed (4) by name, and what stood there as it was.</summary>
public sealed class BadPushTargetTests : ImageFiles
{
    [Fact]
    public async Task The_source_itself_is_no_destination_under_whatever_name()
    {
        string hard = Folder.File("hard.img");
        string link = Folder.File("link.img");
        Tool.Run("coreutils", "ln", ImagePath, hard);
        File.CreateSymbolicLink(link, Path.GetFileName(ImagePath));
        foreach (string[] to in new string[][] { [ImagePath], [Folder.Path + "/"], [hard, "--inplace"] })
        {
            AssertFailure(
                await DisksyncProcess.RunAsync(["push", ImagePath, .. to]), 6, "it is the same file as the source", "nothing was written");
        }

        AssertFailure(await DisksyncProcess.RunAsync("push", ImagePath, link), 6, "link.img", Folder.Path, "symbolic link");
        AssertFailure(await DisksyncProcess.RunAsync("push", ImagePath, link, "--inplace"), 6, "link.img", Folder.Path, "symbolic link");

        Assert.Equal(Now, File.ReadAllBytes(ImagePath));
        Assert.Empty(Directory.GetFiles(Folder.Path, "*.partial*"));
    }

    [Fact]
    public async Task A_missing_folder_is_refused_at_both_ends_of_a_remote_shell()
    {
        string shell = Shell();
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, Folder.File("nowhere/copy.img")), 6, Folder.File("nowhere"), "Create the folder");
        AssertFailure(
            await DisksyncProcess.RunAsync(
                "push", ImagePath, $"host:{Folder.File("nowhere")}/copy.img", "--rsh", shell, "--remote-path", $"dotnet {DisksyncProcess.DllPath}"),
            6,
            Folder.File("nowhere"),
            "Create the folder");
    }

    [Fact]
    public async Task A_device_is_overwritten_only_on_request_and_only_where_it_is_long_enough_and_takes_writes()
    {
        string small = Folder.Write("small.raw", Old.AsSpan(0, 2 << 20));
        string large = Folder.Write("large.raw", [.. Old, .. new byte[(1 << 20) - 1234]]);
        byte[] before = File.ReadAllBytes(large);
        using LoopDevice tooSmall = LoopDevice.FromFile(small);
        using (LoopDevice readOnly = LoopDevice.FromFile(large, "--read-only"))
        {
            AssertFailure(await DisksyncProcess.RunAsync("push", ImagePath, tooSmall.Path), 6, tooSmall.Path, "Add --inplace");
            AssertFailure(
                await DisksyncProcess.RunAsync("push", ImagePath, tooSmall.Path, "--inplace"), 6, "it has 2097152 bytes, the image", "larger one");
            AssertFailure(
                await DisksyncProcess.RunAsync("push", ImagePath, readOnly.Path, "--inplace"), 6, $"{readOnly.Path}: the device is read-only", "blockdev --setrw");
        }

        Assert.Equal(Old[..(2 << 20)], File.ReadAllBytes(small));
        Assert.Equal(before, File.ReadAllBytes(large));
        using LoopDevice longer = LoopDevice.FromFile(large);

        DisksyncResult run = await DisksyncProcess.RunAsync("push", ImagePath, longer.Path, "--inplace");

        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("bytes longer than the image; they are left as they are", run.Error, StringComparison.Ordinal);
        Assert.Equal(Now, File.ReadAllBytes(large)[..Now.Length]);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(5 << 20)]
    public async Task A_file_written_in_place_gets_the_images_length(int length)
    {
        string target = Folder.Write("target.img", SampleImage.Noise(3, length));

        DisksyncResult run = await DisksyncProcess.RunAsync("push", ImagePath, target, "--inplace");

        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(Now, File.ReadAllBytes(target));
    }

    [Fact]
    public async Task Nothing_is_written_in_place_where_nothing_is()
    {
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, Folder.File("new.img"), "--inplace"), 6, "nothing to write in place", "Leave --inplace out");
        Assert.False(File.Exists(Folder.File("new.img")));
    }

    [Fact]
    public async Task A_mounted_device_and_the_file_behind_it_are_refused_by_their_mount_point()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Ext4, 32 << 20);
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, mount.Device!.Path, "--inplace"), 6, $"is mounted at {mount.Path}", "Stop what uses it");
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, mount.Device.BackingFile), 6, $"is mounted at {mount.Path}", "Stop what uses it");
    }

    [Fact]
    public async Task A_read_only_file_system_is_told_with_the_path_and_what_would_help()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 8 << 20);
        File.WriteAllBytes(mount.File("old.img"), Old);
        Tool.Run("mount", "mount", "-o", "remount,ro", mount.Path);

        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, mount.File("old.img")), 6, mount.File("old.img"), "Read-only file system", "mount it writable");
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, mount.File("old.img"), "--inplace"), 6, mount.File("old.img"), "mount it writable");

        Assert.Equal(Old, File.ReadAllBytes(mount.File("old.img")));
    }

    [Fact]
    public async Task A_folder_that_may_not_be_written_is_told_with_the_path_and_the_user()
    {
        string folder = Directory.CreateDirectory(Folder.File("closed")).FullName;
        string target = Folder.Write("closed/vm.img", Old);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        AssertFailure(await RunWithoutOverride("push", ImagePath, target), 6, target, "Permission denied", "as user root", "Give root access");

        Assert.Equal(Old, File.ReadAllBytes(target));
    }

    [Fact]
    public async Task A_full_destination_is_told_with_the_offset_and_gone_on_from_once_there_is_room()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 2 << 20);
        File.WriteAllBytes(mount.File("vm.img"), Old[..4096]);
        string image = Folder.Write("noise.img", SampleImage.Noise(1, 4 << 20));

        AssertFailure(
            await DisksyncProcess.RunAsync("push", image, mount.File("vm.img")), 4, mount.File("vm.img"), "at offset", "No space left", "Free space there");

        Assert.Equal(Old[..4096], File.ReadAllBytes(mount.File("vm.img")));
        Tool.Run("mount", "mount", "-o", "remount,size=16M", mount.Path);
        DisksyncResult again = await DisksyncProcess.RunAsync("push", image, mount.File("vm.img"), "--json");
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.True(again.Json.GetProperty("resumed").GetBoolean());
        Assert.Equal(File.ReadAllBytes(image), File.ReadAllBytes(mount.File("vm.img")));
    }

    [Fact]
    public async Task Two_runs_on_one_target_are_told_apart_and_the_first_goes_on()
    {
        string image = Folder.Write("noise.img", SampleImage.Noise(1, 24 << 20));
        string far = Directory.CreateDirectory(Folder.File("far")).FullName;
        using DisksyncProcess first = DisksyncProcess.Start(["push", image, far + "/vm.img", "--limit", "4M"]);
        await UntilAsync(() => File.Exists(far + "/vm.img.partial.journal") || first.Process.HasExited);

        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, far + "/vm.img"), 6, "vm.img.partial: another run is writing it", "disksync status");

        Assert.False(first.Process.HasExited, "the first run was meant to be still at it");
        DisksyncResult run = await first.WaitAsync();
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(File.ReadAllBytes(image), File.ReadAllBytes(far + "/vm.img"));
    }

    [Fact]
    public async Task A_base_that_is_not_there_or_outside_is_refused_and_one_that_is_something_else_costs_only_time()
    {
        string far = Directory.CreateDirectory(Folder.File("far")).FullName;
        Folder.Write("far/junk.img", SampleImage.Noise(9, 100_000));

        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, far + "/", "--base", "nowhere.img"), 6, "nowhere.img cannot be used", "--base none");
        AssertFailure(await DisksyncProcess.RunAsync("push", ImagePath, far + "/", "--base", "../base.img"), 6, "../base.img", "leaves the folder");
        Assert.False(File.Exists(far + "/image.img"));

        DisksyncResult run = await DisksyncProcess.RunAsync("push", ImagePath, far + "/", "--base", "junk.img");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(Now, File.ReadAllBytes(far + "/image.img"));
    }

    /// <summary>A program that does as ssh does, on this host.</summary>
    private string Shell()
    {
        string shell = Folder.Write("shell", "#!/bin/sh\nshift\nexec sh -c \"$*\"\n"u8);
        File.SetUnixFileMode(shell, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return shell;
    }
}
