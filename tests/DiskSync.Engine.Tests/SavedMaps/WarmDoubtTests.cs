using System.Diagnostics;
using System.IO.MemoryMappedFiles;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Engine.SavedMaps;
using DiskSync.Engine.Tests.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.SavedMap;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.SavedMaps;

public sealed class WarmDoubtTests
{
    private const int Length = 1 << 20;

    public static TheoryData<string> Changes() => new(
        "printf X | dd of=$IMAGE bs=1 seek=5000 conv=notrunc status=none",
        "T=$(stat -c %y $IMAGE); printf X | dd of=$IMAGE bs=1 seek=5000 conv=notrunc status=none; touch -d \"$T\" $IMAGE",
        "chmod 640 $IMAGE",
        "ln $IMAGE $IMAGE.link",
        "mv $IMAGE $IMAGE.away; mv $IMAGE.away $IMAGE",
        "cp --preserve=all $IMAGE $IMAGE.copy; mv $IMAGE.copy $IMAGE",
        "truncate -s +65536 $IMAGE",
        "truncate -s +65536 $IMAGE; truncate -s -65536 $IMAGE",
        "fallocate --punch-hole --offset 65536 --length 65536 $IMAGE");

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Whatever_changes_the_source_leads_to_a_scan_and_a_right_copy(string change)
    {
        using WarmLab lab = new();
        lab.WriteSettled(1, Length);
        await lab.PushFirstAsync();
        Tool.Run("dash", "sh", "-ec", change.Replace("$IMAGE", lab.Image, StringComparison.Ordinal));

        PushResult again = await lab.PushAsync();
        Assert.Null(again.Basis.MapOf);
        Assert.NotEmpty(again.Basis.ScannedBecause);
        Assert.False(again.Basis.IdenticalAlready);
        Assert.Empty(again.Basis.Warning);
        Tool.Run("diffutils", "cmp", lab.Image, lab.Lab.Target());
    }

    [Fact]
    public async Task Every_field_of_the_identity_counts()
    {
        using WarmLab lab = new();
        lab.WriteSettled(2, Length);
        await lab.PushFirstAsync();
        byte[] record = File.ReadAllBytes(lab.Record);
        (string Why, Func<SourceIdentity, SourceIdentity> Change)[] changes =
        [
            ("was started again", i => i with { Boot = Guid.NewGuid() }),
            ("another file system", i => i with { Device = i.Device + 1 }),
            ("another file system", i => i with { DiskSequence = i.DiskSequence + 1 }),
            ("another file system", i => i with { FileSystemId = i.FileSystemId ^ 1 }),
            ("another file system", i => i with { FileSystemType = i.FileSystemType ^ 1 }),
            ("another file system", i => i with { IsDevice = true }),
            ("another file than", i => i with { Inode = i.Inode + 1 }),
            ("another file than", i => i with { BirthNs = i.BirthNs + 1 }),
            ("it has changed", i => i with { ChangedNs = i.ChangedNs - 1 }),
            ("it has changed", i => i with { SectorsChanged = i.SectorsChanged + 1 }),
        ];
        foreach ((string why, Func<SourceIdentity, SourceIdentity> change) in changes)
        {
            File.WriteAllBytes(lab.Record, record);
            lab.Forge(change);
            PushResult again = await lab.PushAsync(r => r with { Name = "other.img" });
            Assert.Contains(why, again.Basis.ScannedBecause, StringComparison.Ordinal);
            Assert.Null(again.Basis.MapOf);
            Assert.Equal(Length, again.Rounds.Sum(r => r.BytesRead));
        }
    }

    [Fact]
    public async Task What_changed_less_than_two_seconds_before_the_save_is_not_believed_later()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(3, Length);
        Stopwatch clock;
        PushResult first;
        do
        {
            // On a busy machine the push itself may take longer than that.
            lab.Store.Discard(lab.Image, new BlockGeometry(Length, 64 << 10));
            File.WriteAllBytes(lab.Image, content);
            clock = Stopwatch.StartNew();
            first = await lab.PushAsync();
        }
        while (clock.Elapsed > TimeSpan.FromSeconds(1.5));

        Assert.Equal("it was changed less than two seconds before", first.Basis.NotSavedBecause);
        Assert.Empty(lab.Store.List());
        Assert.Equal("no map of it is saved", (await lab.PushAsync()).Basis.ScannedBecause);
    }

    [Fact]
    public async Task As_long_as_somebody_may_write_nothing_is_saved_or_believed()
    {
        using WarmLab lab = new();
        lab.WriteSettled(4, Length);
        const string Why = "somebody has it open for writing";
        using (new FileStream(lab.Image, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            PushResult open = await lab.PushAsync();
            Assert.Equal((Why, Why), (open.Basis.ScannedBecause, open.Basis.NotSavedBecause));
        }

        using (MapWritable(lab.Image))
        {
            PushResult mapped = await lab.PushAsync();
            Assert.Equal((Why, Why), (mapped.Basis.ScannedBecause, mapped.Basis.NotSavedBecause));
        }

        using (LoopDevice.FromFile(lab.Image))
        {
            PushResult attached = await lab.PushAsync();
            Assert.Equal((Why, Why), (attached.Basis.ScannedBecause, attached.Basis.NotSavedBecause));
        }

        Assert.Empty(lab.Store.List());
        lab.Settle();
        await lab.PushFirstAsync();
        using (new FileStream(lab.Image, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            Assert.Equal(Why, (await lab.PushAsync()).Basis.ScannedBecause);
        }

        Assert.True((await lab.PushAsync()).Basis.IdenticalAlready);
    }

    [Fact]
    public async Task A_writer_that_comes_during_the_push_is_let_in_and_the_map_is_not_saved()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(5, 8 << 20);
        OnFirstRound progress = new(() =>
        {
            using FileStream writer = new(lab.Image, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            writer.WriteByte((byte)(content[0] ^ 1));
        });
        PushResult result = await lab.Lab.PushAsync(lab.Image, with: r => r with { Maps = lab.Store }, progress: progress);
        Assert.Equal("somebody opened it for writing meanwhile", result.Basis.NotSavedBecause);
        Assert.Empty(lab.Store.List());
        Assert.Equal(content.AsSpan(1), File.ReadAllBytes(lab.Lab.Target()).AsSpan(1));
    }

    [Fact]
    public async Task A_writer_that_comes_while_the_map_is_believed_leads_to_a_scan()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(6, 8 << 20);
        await lab.PushFirstAsync();
        lab.Lab.EmptyRoot();
        OnFirstRound progress = new(() =>
        {
            using FileStream writer = new(lab.Image, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        });
        PushResult result = await lab.Lab.PushAsync(lab.Image, with: r => r with { Maps = lab.Store }, progress: progress);
        Assert.Equal("somebody opened it for writing meanwhile", result.Basis.ScannedBecause);
        Assert.Null(result.Basis.MapOf);
        Assert.Equal(2, result.Rounds.Count);
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_map_that_lies_is_thrown_away_with_a_warning_and_the_copy_is_right()
    {
        using WarmLab lab = new();
        lab.WriteSettled(7, Length);
        await lab.PushFirstAsync();
        File.WriteAllBytes(lab.Image, SampleImage.Noise(8, Length));
        lab.Forge();

        PushResult again = await lab.PushAsync();
        Assert.Contains("is not what its saved map says", again.Basis.Warning, StringComparison.Ordinal);
        Assert.Null(again.Basis.MapOf);
        Assert.Empty(lab.Store.List());
        Tool.Run("diffutils", "cmp", lab.Image, lab.Lab.Target());
    }

    [Fact]
    public async Task A_lie_that_the_audit_misses_is_found_when_its_block_is_sent()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(9, 32 << 20);
        await lab.PushAsync(granularity: 4096);
        content[20_000_000] ^= 1;
        using (FileStream file = File.OpenWrite(lab.Image))
        {
            file.Position = 20_000_000;
            file.WriteByte(content[20_000_000]);
        }

        lab.Forge();
        lab.Lab.EmptyRoot();
        PushResult again = await lab.PushAsync(granularity: 4096);
        Assert.NotEmpty(again.Basis.Warning);
        Assert.Null(again.Basis.MapOf);
        Assert.Empty(lab.Store.List());
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_map_that_is_cut_off_or_damaged_leads_to_a_scan_and_is_removed()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(10, Length);
        foreach (Action<string, string> damage in (Action<string, string>[])
            [
                (record, _) => Cut(record, 100),
                (record, _) => Cut(record, 0),
                (record, _) => Flip(record, 50),
                (_, map) => Cut(map, 8192),
                (_, map) => Cut(map, 0),
                (_, map) => Flip(map, 0),
                (_, map) => Flip(map, 8192 + 3),
                (_, map) => File.Delete(map),
            ])
        {
            await lab.PushAsync();
            damage(lab.Record, lab.Map);
            PushResult again = await lab.PushAsync();
            Assert.Null(again.Basis.MapOf);
            Assert.StartsWith("its saved map ", again.Basis.ScannedBecause, StringComparison.Ordinal);
            Assert.Empty(again.Basis.Warning);
            lab.Lab.AssertTarget(content);
        }

        Assert.True((await lab.PushAsync()).Basis.IdenticalAlready);
    }

    [Fact]
    public void Who_is_not_the_owner_gets_no_lease_and_is_told_so()
    {
        using TempFolder folder = new();
        string path = folder.Write("a.img", new byte[4096]);
        File.SetUnixFileMode(path, (UnixFileMode)0x1A4);
        using LinuxFile file = LinuxFile.Open(path, LinuxOpen.ReadOnly);
        using FileBlockDevice image = new(file, path, Side.Source);
        AsNobody.Run(() =>
        {
            using SourceWatch watch = SourceWatch.Begin(image);
            Assert.Null(watch.Identity);
            Assert.Contains("may take no lease on it", watch.Refusal, StringComparison.Ordinal);
            Assert.False(watch.MaySave(0, out string why));
            Assert.Equal(watch.Refusal, why);
        });
    }

    [Fact]
    public async Task On_an_overlay_where_a_lease_does_not_see_mappings_the_source_is_scanned()
    {
        using WarmLab lab = new();
        foreach (string name in new[] { "lower", "upper", "work", "merged" })
        {
            Directory.CreateDirectory(lab.File(name));
        }

        File.WriteAllBytes(lab.File("lower/b.img"), SampleImage.Noise(11, Length));
        string options = $"lowerdir={lab.File("lower")},upperdir={lab.File("upper")},workdir={lab.File("work")}";
        Tool.Run("mount", "mount", "-t", "overlay", "-o", options, "none", lab.File("merged"));
        try
        {
            PushResult result = await lab.Lab.PushAsync(lab.File("merged/b.img"), with: r => r with { Maps = lab.Store });
            Assert.Contains("file system", result.Basis.ScannedBecause, StringComparison.Ordinal);
            Assert.Empty(lab.Store.List());
        }
        finally
        {
            Tool.Run("mount", "umount", lab.File("merged"));
        }
    }

    private static MemoryMappedViewAccessor MapWritable(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using MemoryMappedFile map = MemoryMappedFile.CreateFromFile(
            file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        return map.CreateViewAccessor();
    }

    private static void Cut(string path, long length)
    {
        using FileStream file = File.OpenWrite(path);
        file.SetLength(length);
    }

    private static void Flip(string path, int at)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[at] ^= 0x10;
        File.WriteAllBytes(path, bytes);
    }
}
