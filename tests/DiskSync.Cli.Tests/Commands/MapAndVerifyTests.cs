using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

public sealed class MapAndVerifyTests : ImageFiles
{
    [Fact]
    public async Task Verify_takes_an_image_a_map_and_a_root_hash()
    {
        string map = Folder.File("base.map");
        DisksyncResult made = await DisksyncProcess.RunAsync("map", BasePath, "-o", map);
        string root = made.Output.Split(' ')[0];
        string copy = Folder.Write("copy.img", Old);
        foreach (string other in new[] { BasePath, map, root })
        {
            Assert.Equal(0, (await DisksyncProcess.RunAsync("verify", copy, other)).ExitCode);
            Assert.Equal(1, (await DisksyncProcess.RunAsync("verify", ImagePath, other)).ExitCode);
        }
    }

    [Fact]
    public async Task Verify_tells_the_first_different_byte_and_the_number_of_blocks()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("verify", ImagePath, BasePath, "--json");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("image", run.Json.GetProperty("otherKind").GetString());
        Assert.Equal(100_000, run.Json.GetProperty("firstDifference").GetInt64());
        Assert.Equal(3, run.Json.GetProperty("differentBlocks").GetInt64());
    }

    [Fact]
    public async Task The_root_hash_depends_on_content_and_length_and_not_on_holes()
    {
        string sparse = Folder.File("sparse.img");
        using (FileStream stream = File.Create(sparse))
        {
            stream.Write(Old, 0, 2 << 20);
            stream.SetLength(Old.Length);
        }

        DisksyncResult dense = await DisksyncProcess.RunAsync("map", BasePath, "--json");
        DisksyncResult holes = await DisksyncProcess.RunAsync("map", sparse, "--json");
        DisksyncResult longer = await DisksyncProcess.RunAsync("map", Folder.Write("longer.img", [.. Old, 0]), "--json");

        string root = dense.Json.GetProperty("root").GetString()!;
        Assert.Equal(root, holes.Json.GetProperty("root").GetString());
        Assert.NotEqual(root, longer.Json.GetProperty("root").GetString());
    }

    [Fact]
    public async Task A_map_never_replaces_its_own_image()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("map", BasePath, "-o", BasePath);

        Assert.Equal(6, run.ExitCode);
        Assert.Contains("is the same file as", run.Error, StringComparison.Ordinal);
        Assert.Equal(Old, File.ReadAllBytes(BasePath));
    }

    [Fact]
    public async Task A_full_disk_leaves_neither_a_map_nor_a_part_of_one()
    {
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, 64 << 10);
        string map = mount.File("base.map");

        DisksyncResult run = await DisksyncProcess.RunAsync("map", BasePath, "-o", map, "--granularity", "4K");
        DisksyncResult small = await DisksyncProcess.RunAsync("map", BasePath, "-o", map);

        Assert.Equal(0, small.ExitCode);
        Assert.True(run.ExitCode is 0 or 4, run.ToString());
        Assert.Equal([map], Directory.GetFiles(mount.Path));
    }

    [Fact]
    public async Task An_interrupted_run_says_so_with_code_9()
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();
        using var console = new Cli.Output.CommandOutput(output, error, errorIsTerminal: false);
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();

        int code = await Cli.Running.CommandRunner.RunAsync(["map", BasePath], console, stopped.Token);

        Assert.Equal(9, code);
        Assert.Contains("interrupted", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_of_a_block_device_reads_it_past_the_page_cache()
    {
        byte[] content = Old.AsSpan(0, 3 << 20).ToArray();
        using LoopDevice device = LoopDevice.FromFile(Folder.Write("disk.img", content));
        string copy = Folder.Write("copy.img", content);

        Assert.Equal(0, (await DisksyncProcess.RunAsync("verify", device.Path, copy)).ExitCode);
        using (LinuxFile file = LinuxFile.Open(device.Path, LinuxOpen.ReadWrite))
        {
            file.WriteAt(new byte[] { 1, 2, 3, 4 }, 12345);
            file.Sync();
        }

        Assert.Equal(1, (await DisksyncProcess.RunAsync("verify", device.Path, copy)).ExitCode);
    }
}
