using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Damaged files of our own as the commands meet them; every byte and bit is gone through in DiskSync.Formats.Tests.</summary>
public sealed class BadFileTests : ImageFiles
{
    public static TheoryData<string> Damages { get; } = ["cut", "flipped", "version", "empty"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_delta_is_refused_before_the_first_write(string damage)
    {
        string delta = Folder.File("test.delta");
        await DisksyncProcess.RunAsync("delta", BasePath, ImagePath, "-o", delta);
        string bad = Folder.Write("bad.delta", Damaged(File.ReadAllBytes(delta), damage));
        string target = Folder.Write("target.img", Old);

        DisksyncResult run = await DisksyncProcess.RunAsync("apply", bad, target);

        AssertFailure(run, 6, $"delta {bad}", damage == "version" ? "version" : "byte", "Make it anew");
        Assert.Equal(Old, File.ReadAllBytes(target));
        Assert.False(File.Exists(target + ".applying"));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_map_is_refused_by_every_command_that_reads_one(string damage)
    {
        string map = Folder.File("base.map");
        await DisksyncProcess.RunAsync("map", BasePath, "-o", map);
        byte[] bytes = Damaged(File.ReadAllBytes(map), damage);
        string bad = Folder.Write("bad.map", bytes);
        string delta = Folder.File("new.delta");

        // One that does not even begin like a map is an image to these commands, and an empty file is an empty image.
        if (damage == "empty")
        {
            Assert.Equal(1, (await DisksyncProcess.RunAsync("diff", bad, ImagePath)).ExitCode);
            return;
        }

        AssertFailure(await DisksyncProcess.RunAsync("diff", bad, ImagePath), 3, $"block map {bad}", "Make it anew");
        AssertFailure(await DisksyncProcess.RunAsync("verify", ImagePath, bad), 3, $"block map {bad}", "Make it anew");
        AssertFailure(await DisksyncProcess.RunAsync("delta", bad, ImagePath, "-o", delta), 3, $"block map {bad}", "Make it anew");
        Assert.False(File.Exists(delta));
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_transfer_journal_costs_a_hash_and_nothing_else(string damage)
    {
        string image = Folder.Write("noise.img", SampleImage.Noise(1, 8 << 20));
        string far = Directory.CreateDirectory(Folder.File("far")).FullName;
        string journal = far + "/vm.img.partial.journal";
        using (DisksyncProcess first = DisksyncProcess.Start(["push", image, far + "/vm.img", "--limit", "1M"]))
        {
            await UntilAsync(() => File.Exists(journal) || first.Process.HasExited);
            first.Signal(2);
            AssertFailure(await first.WaitAsync(), 9, "was stopped", "Run the same command again");
        }

        File.WriteAllBytes(journal, Damaged(File.ReadAllBytes(journal), damage));

        DisksyncResult run = await DisksyncProcess.RunAsync("push", image, far + "/vm.img");

        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal(File.ReadAllBytes(image), File.ReadAllBytes(far + "/vm.img"));
    }

    [Fact]
    public async Task A_damaged_ownership_journal_leaves_the_ownership_in_doubt_and_nothing_is_handed_over()
    {
        string state = Folder.File("state");
        string moved = Folder.File("moved.img");
        DisksyncResult migrated = await DisksyncProcess.RunAsync("migrate", BasePath, moved, "--max-downtime", "60", "--state", state);
        Assert.True(migrated.ExitCode == 0, migrated.ToString());
        foreach (string file in Directory.GetFiles(state).Where(f => Path.GetFileName(f).StartsWith("owner", StringComparison.Ordinal)))
        {
            byte[] bytes = File.ReadAllBytes(file);
            bytes.AsSpan(bytes.Length / 2).Fill(0x5A);
            File.WriteAllBytes(file, bytes);
        }

        DisksyncResult owner = await DisksyncProcess.RunAsync("owner", moved, "--state", state);
        DisksyncResult again = await DisksyncProcess.RunAsync("migrate", moved, Folder.File("third.img"), "--state", state);

        Assert.Equal((8, 8), (owner.ExitCode, again.ExitCode));
        Assert.Contains("disksync owner", again.Error, StringComparison.Ordinal);
        Assert.Equal(Old, File.ReadAllBytes(moved));
        Assert.False(File.Exists(Folder.File("third.img")));
    }

    [Fact]
    public async Task A_downtime_that_cannot_be_kept_pauses_nothing_and_keeps_what_was_copied()
    {
        string far = Folder.File("far.img");
        string paused = Folder.File("paused");

        DisksyncResult run = await DisksyncProcess.RunAsync(
            "migrate", ImagePath, far, "--max-downtime", "0", "--pause", $"touch {paused}", "--state", Folder.File("state"));

        AssertFailure(run, 7, "does not fit --max-downtime", "the guest was not paused", "Allow more with --max-downtime");
        Assert.False(File.Exists(paused));
        Assert.False(File.Exists(far));
        Assert.True(File.Exists(far + ".partial"));
        Assert.Equal(Now, File.ReadAllBytes(ImagePath));
    }

    private static byte[] Damaged(byte[] bytes, string damage)
    {
        switch (damage)
        {
            case "cut":
                return bytes[..(bytes.Length * 2 / 3)];
            case "flipped":
                bytes[bytes.Length / 2] ^= 0x10;
                return bytes;
            case "version":
                // All formats of ours: eight bytes of magic, then the version.
                bytes[8]++;
                return bytes;
            default:
                return [];
        }
    }
}
