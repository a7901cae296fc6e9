using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

public sealed class DeltaAndApplyTests : ImageFiles
{
    [Fact]
    public async Task A_delta_from_an_image_or_its_map_turns_a_copy_into_the_image()
    {
        string map = Folder.File("base.map");
        await DisksyncProcess.RunAsync("map", BasePath, "-o", map);
        foreach (string from in new[] { BasePath, map })
        {
            string delta = await MakeDelta(from);
            string target = Folder.Write("target.img", Old);

            DisksyncResult run = await DisksyncProcess.RunAsync("apply", delta, target, "--json");

            Assert.Equal(0, run.ExitCode);
            Assert.Equal(3, run.Json.GetProperty("writtenBlocks").GetInt64());
            Assert.Equal(Now, File.ReadAllBytes(target));
        }
    }

    [Fact]
    public async Task A_killed_apply_is_finished_by_running_it_again()
    {
        string delta = await MakeDelta(BasePath, "4K");
        string target = Folder.Write("target.img", Old);
        var random = new Random(8);
        for (int i = 0; i < 8; i++)
        {
            File.WriteAllBytes(target, Old);
            using (DisksyncProcess run = DisksyncProcess.Start(["apply", delta, target]))
            {
                await Task.Delay(random.Next(400));
                run.Signal(9);
                await run.WaitAsync();
            }

            DisksyncResult again = await DisksyncProcess.RunAsync("apply", delta, target);

            Assert.True(again.ExitCode == 0, again.ToString());
            Assert.Equal(Now, File.ReadAllBytes(target));
        }
    }

    [Fact]
    public async Task Another_image_as_target_is_refused_before_the_first_write()
    {
        string delta = await MakeDelta(BasePath);
        byte[] other = (byte[])Old.Clone();
        other[^1] ^= 1;
        string target = Folder.Write("target.img", other);

        DisksyncResult run = await DisksyncProcess.RunAsync("apply", delta, target, "--json");

        Assert.Equal(6, run.ExitCode);
        Assert.Equal("preflight", run.JsonError.GetProperty("kind").GetString());
        Assert.Contains("is not the delta's base", run.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(other, File.ReadAllBytes(target));
    }

    [Fact]
    public async Task Targets_that_are_too_long_or_too_short_are_refused()
    {
        string delta = await MakeDelta(BasePath);
        foreach (byte[] content in new byte[][] { Old[..^512], [.. Old, .. new byte[512]], [] })
        {
            string target = Folder.Write("target.img", content);

            DisksyncResult run = await DisksyncProcess.RunAsync("apply", delta, target);

            Assert.Equal(6, run.ExitCode);
            Assert.Contains("bytes", run.Error, StringComparison.Ordinal);
            Assert.Equal(content, File.ReadAllBytes(target));
        }
    }

    [Fact]
    public async Task A_damaged_delta_a_map_and_the_delta_itself_are_refused()
    {
        string delta = await MakeDelta(BasePath);
        string target = Folder.Write("target.img", Old);
        byte[] bytes = File.ReadAllBytes(delta);
        bytes[bytes.Length / 2] ^= 1;
        string bad = Folder.Write("bad.delta", bytes);

        DisksyncResult flipped = await DisksyncProcess.RunAsync("apply", bad, target);
        DisksyncResult image = await DisksyncProcess.RunAsync("apply", BasePath, target);
        DisksyncResult itself = await DisksyncProcess.RunAsync("apply", delta, delta);
        DisksyncResult missing = await DisksyncProcess.RunAsync("apply", Folder.File("none.delta"), target);

        Assert.Equal((6, 6, 6, 3), (flipped.ExitCode, image.ExitCode, itself.ExitCode, missing.ExitCode));
        Assert.Contains("bad.delta", flipped.Error, StringComparison.Ordinal);
        Assert.Contains("is the delta itself", itself.Error, StringComparison.Ordinal);
        Assert.Equal(Old, File.ReadAllBytes(target));
    }

    [Fact]
    public async Task A_read_only_target_is_a_destination_error_that_names_path_and_user()
    {
        string delta = await MakeDelta(BasePath);
        string target = Folder.Write("target.img", Old);
        File.SetUnixFileMode(target, UnixFileMode.UserRead);

        DisksyncResult run = await RunWithoutOverride("apply", delta, target);

        Assert.Equal(4, run.ExitCode);
        Assert.Contains(target, run.Error, StringComparison.Ordinal);
        Assert.Contains("as user root", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_another_run_has_locked_is_refused()
    {
        string delta = await MakeDelta(BasePath);
        string target = Folder.Write("target.img", Old);
        using LinuxFile holder = LinuxFile.Open(target, LinuxOpen.ReadWrite);
        Assert.True(holder.TryLockExclusive());

        DisksyncResult run = await DisksyncProcess.RunAsync("apply", delta, target);

        Assert.Equal(6, run.ExitCode);
        Assert.Contains("another disksync is writing", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mounted_target_is_refused_by_its_mount_point()
    {
        string delta = await MakeDelta(BasePath);
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Ext4, 32 << 20);

        DisksyncResult device = await DisksyncProcess.RunAsync("apply", delta, mount.Device!.Path);
        DisksyncResult file = await DisksyncProcess.RunAsync("apply", delta, mount.Device.BackingFile);

        Assert.Equal((6, 6), (device.ExitCode, file.ExitCode));
        Assert.Contains($"is mounted at {mount.Path}", device.Error, StringComparison.Ordinal);
        Assert.Contains("is in use", file.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_block_device_is_a_target_like_a_file()
    {
        byte[] old = Old[..(3 << 20)];
        byte[] now = Now[..(3 << 20)];
        string delta = Folder.File("device.delta");
        await DisksyncProcess.RunAsync("delta", Folder.Write("a.img", old), Folder.Write("b.img", now), "-o", delta);
        using LoopDevice device = LoopDevice.FromFile(Folder.Write("disk.img", old));

        DisksyncResult run = await DisksyncProcess.RunAsync("apply", delta, device.Path, "--state", Folder.File("state"));

        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(now, File.ReadAllBytes(device.BackingFile));
    }

    [Fact]
    public async Task A_full_disk_leaves_neither_a_delta_nor_a_part_of_one()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 256 << 10);
        string empty = Folder.Write("empty.img", []);

        DisksyncResult run = await DisksyncProcess.RunAsync("delta", empty, BasePath, "-o", mount.File("big.delta"));

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("big.delta", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(mount.Path));
    }

    [Fact]
    public async Task A_delta_without_a_name_for_its_file_is_a_usage_error()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("delta", BasePath, ImagePath);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--output", run.Error, StringComparison.Ordinal);
    }

    private async Task<string> MakeDelta(string from, string? granularity = null)
    {
        string delta = Folder.File("test.delta");
        string[] extra = granularity is null ? [] : ["--granularity", granularity];
        DisksyncResult made = await DisksyncProcess.RunAsync(["delta", from, ImagePath, "-o", delta, .. extra]);
        Assert.True(made.ExitCode == 0, made.ToString());
        return delta;
    }
}
