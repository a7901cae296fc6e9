using System.Text.Json;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

public sealed class DiffCommandTests : ImageFiles
{
    [Fact]
    public async Task Json_with_extents_is_one_object_that_agrees_with_the_images()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("diff", BasePath, ImagePath, "--json", "--extents");

        Assert.Equal(1, run.ExitCode);
        JsonElement json = run.Json;
        Assert.False(json.GetProperty("same").GetBoolean());
        Assert.Equal(3, json.GetProperty("changedBlocks").GetInt64());
        Assert.Equal(1, json.GetProperty("zeroedBlocks").GetInt64());
        Assert.Equal((1 + 2 + 16) * 4096, json.GetProperty("preciseBytes").GetInt64());
        Assert.Equal(100_000, json.GetProperty("firstDifference").GetInt64());
        Assert.Equal(
            [(65536L, 65536L, "changed"), (4 * 65536L, 65536L, "changed"), (1L << 20, 65536L, "zeroed")],
            json.GetProperty("extents").EnumerateArray().Select(extent => (
                extent.GetProperty("offset").GetInt64(),
                extent.GetProperty("length").GetInt64(),
                extent.GetProperty("kind").GetString()!)));
    }

    [Fact]
    public async Task The_text_names_the_figures_and_the_exit_code_tells_same_from_different()
    {
        DisksyncResult different = await DisksyncProcess.RunAsync("diff", BasePath, ImagePath);
        DisksyncResult same = await DisksyncProcess.RunAsync("diff", BasePath, Folder.Write("copy.img", Old));

        Assert.Equal(1, different.ExitCode);
        Assert.Contains("3 of 49", different.Output, StringComparison.Ordinal);
        Assert.Equal(0, same.ExitCode);
        Assert.Contains("are the same", same.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_map_as_base_finds_the_same_blocks()
    {
        string map = Folder.File("base.map");
        Assert.Equal(0, (await DisksyncProcess.RunAsync("map", BasePath, "-o", map)).ExitCode);

        DisksyncResult run = await DisksyncProcess.RunAsync("diff", map, ImagePath, "--json");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal(3, run.Json.GetProperty("changedBlocks").GetInt64());
        Assert.False(run.Json.TryGetProperty("preciseBytes", out _));
    }

    [Theory]
    [InlineData("svg", "<svg")]
    [InlineData("png", "PNG")]
    public async Task A_picture_is_written_where_asked(string ending, string magic)
    {
        string picture = Folder.File("changes." + ending);

        DisksyncResult run = await DisksyncProcess.RunAsync("diff", BasePath, ImagePath, "--map", picture);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(magic, System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(picture), 0, 8), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--granularity", "3K", "not a power of two")]
    [InlineData("--granularity", "8M", "not a power of two")]
    [InlineData("--granularity", "many", "is not a size")]
    [InlineData("--map", "changes.gif", "neither .svg nor .png")]
    public async Task A_wrong_option_is_a_usage_error(string option, string value, string message)
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("diff", BasePath, ImagePath, option, value);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_images_and_odd_lengths_compare_like_any_other()
    {
        string empty = Folder.Write("empty.img", []);
        string odd = Folder.Write("odd.img", new byte[70_001]);

        DisksyncResult same = await DisksyncProcess.RunAsync("diff", empty, empty);
        DisksyncResult grown = await DisksyncProcess.RunAsync("diff", empty, odd, "--json");

        Assert.Equal(0, same.ExitCode);
        Assert.Contains("is empty", same.Error, StringComparison.Ordinal);
        Assert.Contains("are the same file", same.Error, StringComparison.Ordinal);
        Assert.Equal(1, grown.ExitCode);
        Assert.Equal(2, grown.Json.GetProperty("zeroedBlocks").GetInt64());
        Assert.Equal(0, grown.Json.GetProperty("firstDifference").GetInt64());
    }

    [Fact]
    public async Task Missing_images_folders_and_forbidden_ones_are_source_errors_that_name_path_and_user()
    {
        DisksyncResult missing = await DisksyncProcess.RunAsync("diff", Folder.File("nowhere.img"), ImagePath);
        DisksyncResult folder = await DisksyncProcess.RunAsync("diff", BasePath, Folder.Path, "--json");
        File.SetUnixFileMode(ImagePath, UnixFileMode.None);
        DisksyncResult forbidden = await RunWithoutOverride("diff", BasePath, ImagePath);

        Assert.Equal(3, missing.ExitCode);
        Assert.Contains("nowhere.img", missing.Error, StringComparison.Ordinal);
        Assert.Equal(3, folder.ExitCode);
        Assert.Equal("source", folder.JsonError.GetProperty("kind").GetString());
        Assert.Equal(3, forbidden.ExitCode);
        Assert.Contains(ImagePath, forbidden.Error, StringComparison.Ordinal);
        Assert.Contains("as user root", forbidden.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unreadable_sector_is_named_by_its_offset()
    {
        using LoopDevice device = LoopDevice.Create(1 << 20);
        using (LinuxFile backing = LinuxFile.Open(device.BackingFile, LinuxOpen.ReadWrite))
        {
            backing.SetLength(512 << 10);
        }

        DisksyncResult run = await DisksyncProcess.RunAsync("diff", BasePath, device.Path);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains($"source {device.Path}: cannot read at offset", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_of_another_format_is_compared_with_a_warning()
    {
        string qcow2 = Folder.Write("disk.qcow2", [0x51, 0x46, 0x49, 0xFB, .. new byte[8188]]);

        DisksyncResult run = await DisksyncProcess.RunAsync("diff", qcow2, qcow2);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("begins like a qcow2 file", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_map_is_refused_by_name()
    {
        string map = Folder.File("base.map");
        await DisksyncProcess.RunAsync("map", BasePath, "-o", map);
        byte[] bytes = File.ReadAllBytes(map);
        string cut = Folder.Write("cut.map", bytes.AsSpan(0, bytes.Length - 9));

        DisksyncResult run = await DisksyncProcess.RunAsync("diff", cut, ImagePath);

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("block map " + cut, run.Error, StringComparison.Ordinal);
        Assert.Contains("Make it anew", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quiet_says_nothing_and_leaves_the_exit_code()
    {
        DisksyncResult run = await DisksyncProcess.RunAsync("diff", "--quiet", BasePath, ImagePath);

        Assert.Equal((1, string.Empty, string.Empty), (run.ExitCode, run.Output, run.Error));
    }
}
