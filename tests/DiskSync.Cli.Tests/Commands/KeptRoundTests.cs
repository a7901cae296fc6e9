using System.Text.Json;
using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Rounds that are kept at the destination, and what others see of them.</summary>
public sealed class KeptRoundTests : IDisposable
{
    private const int Length = 24 << 20;
    private readonly TempFolder _folder = new();
    private readonly string _image;

    public KeptRoundTests() => _image = _folder.Write("vm.img", SampleImage.Noise(11, Length));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_round_of_a_migrate_is_kept_as_it_was_and_can_be_looked_at_by_others()
    {
        using ScratchMount xfs = ScratchMount.Create(FileSystemKind.Xfs);
        string moved = Path.Join(xfs.Path, "vm.img");
        string state = _folder.File("state");
        string before = _folder.File("before.img");
        File.Copy(_image, before);

        // What changes in the pause is in the image and in no round that was kept.
        string[] command =
        [
            "migrate", _image, moved, "--state", state, "--keep-rounds", "--max-downtime", "60", "--json", "--unpause", "true",
            "--pause", $"dd if=/dev/zero of={_image} bs=4096 seek=100 count=3 conv=notrunc status=none",
        ];
        DisksyncResult migrate = await DisksyncProcess.RunAsync(command);
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        JsonElement[] rounds = [.. migrate.Json.GetProperty("rounds").EnumerateArray()];
        Assert.False(rounds[^1].TryGetProperty("keptAs", out _), "the round in the pause is the image itself");
        JsonElement first = rounds[0];
        Assert.Equal(moved + ".round-1", first.GetProperty("keptAs").GetString());
        string socket = _folder.File("s");
        using (DisksyncProcess export = DisksyncProcess.Start(["export", moved, "--round", "1", "--listen", $"unix:{socket}", "--state", state]))
        {
            await ImageFiles.UntilAsync(() => File.Exists(socket) || export.Process.HasExited);
            string uri = $"nbd+unix:///?socket={socket}";
            Tool.Run("qemu-utils", "qemu-img", "compare", "-f", "raw", "-F", "raw", before, uri);
            Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "write 0 512", uri).Code);
            Assert.Equal("vm.img", JsonDocument.Parse(Tool.Run("libnbd-bin", "nbdinfo", "--json", "--list", uri)).RootElement.GetProperty("exports")[0].GetProperty("export-name").GetString());
        }

        DisksyncResult verify = await DisksyncProcess.RunAsync("verify", moved + ".round-1", first.GetProperty("keptRoot").GetString()!);
        Assert.True(verify.ExitCode == 0, verify.ToString());
        Assert.NotEqual(0, Tool.TryRun("diffutils", "cmp", moved, before).Code);
        Tool.Run("diffutils", "cmp", moved, _image + ".ceded-2");

        DisksyncResult clean = await DisksyncProcess.RunAsync("clean", "--left-overs", "--root", xfs.Path, "--state", state);
        Assert.True(clean.ExitCode == 0, clean.ToString());
        Assert.Empty(Directory.GetFiles(xfs.Path, "*.round-*"));
        Assert.True(File.Exists(moved));
    }

    [Fact]
    public async Task The_rounds_of_an_earlier_copy_go_with_the_first_of_the_next()
    {
        using ScratchMount xfs = ScratchMount.Create(FileSystemKind.Xfs);
        string copy = Path.Join(xfs.Path, "vm.img");
        await File.WriteAllBytesAsync(copy + ".round-7", [1]);
        await File.WriteAllBytesAsync(copy + "2.round-7", [1]);
        DisksyncResult push = await PushAsync(copy);
        Assert.True(push.ExitCode == 0, push.ToString());
        Assert.Equal(["vm.img.round-1", "vm.img2.round-7"], Directory.GetFiles(xfs.Path, "*.round-*").Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Where_files_cannot_be_cloned_the_copy_goes_on_and_the_report_says_so()
    {
        using ScratchMount ext4 = ScratchMount.Create(FileSystemKind.Ext4);
        string copy = Path.Join(ext4.Path, "vm.img");
        DisksyncResult push = await PushAsync(copy);
        Assert.True(push.ExitCode == 0, push.ToString());
        Assert.Contains("cannot clone", push.Json.GetProperty("rounds")[0].GetProperty("notKeptBecause").GetString(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(ext4.Path, "*.round-*"));
        DisksyncResult export = await DisksyncProcess.RunAsync("export", copy, "--round", "1", "--listen", $"unix:{_folder.File("s")}");
        Assert.Equal((int)FailureKind.Usage, export.ExitCode);
        Assert.Contains("was not kept", export.Error, StringComparison.Ordinal);
    }

    private Task<DisksyncResult> PushAsync(string copy) =>
        DisksyncProcess.RunAsync("push", _image, copy, "--keep-rounds", "--json", "--state", _folder.File("state"));
}
