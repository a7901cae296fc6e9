using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.SavedMaps;

public sealed class WarmPushTests
{
    private const int Length = (3 << 20) + 777;

    [Theory]
    [InlineData(FileSystemKind.Tmpfs)]
    [InlineData(FileSystemKind.Ext4)]
    [InlineData(FileSystemKind.Xfs)]
    [InlineData(FileSystemKind.Btrfs)]
    public async Task An_image_that_nobody_has_written_is_neither_scanned_nor_opened_at_the_destination(FileSystemKind kind)
    {
        using WarmLab lab = new(kind);
        byte[] content = lab.WriteSettled(1, Length);
        await lab.PushFirstAsync();
        FileStat sealedAs = FileStat.Of(lab.Lab.Target());

        PushResult again = await lab.PushAsync();
        Assert.True(again.Basis.IdenticalAlready, again.Basis.ScannedBecause + again.Basis.OpenedBecause);
        Assert.NotNull(again.Basis.MapOf);
        Assert.Equal(49, again.Basis.AuditedBlocks);
        Assert.Empty(again.Rounds);
        Assert.InRange(again.BytesSent, 1, 4000);
        Assert.Equal(lab.Lab.Target(), again.Path);
        Assert.Equal(sealedAs, FileStat.Of(lab.Lab.Target()));
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_destination_that_has_lost_the_image_gets_it_from_the_map_and_holes_are_not_looked_for()
    {
        using WarmLab lab = new();
        byte[] content = new byte[64 << 20];
        SampleImage.Noise(2, 1 << 20).CopyTo(content, 40 << 20);
        SampleImage.WriteSparse(lab.Image, content);
        lab.Settle();
        await lab.PushFirstAsync();
        lab.Lab.EmptyRoot();

        PushResult again = await lab.PushAsync();
        Assert.NotNull(again.Basis.MapOf);
        Assert.Equal("there is no image file of that name", again.Basis.OpenedBecause);
        Assert.Equal(16, again.Rounds.Sum(r => r.BlocksScanned));
        Assert.Equal(1 << 20, again.Rounds.Sum(r => r.BytesRead));
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_destination_that_has_an_older_image_gets_what_differs_and_the_rest_is_not_read()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(3, Length);
        string older = lab.File("older.img");
        byte[] old = (byte[])content.Clone();
        old[(5 << 16) + 9] ^= 1;
        old[^1] ^= 1;
        File.WriteAllBytes(older, old);
        await lab.Lab.PushAsync(older);
        await lab.PushAsync(name: "elsewhere.img");

        PushResult again = await lab.PushAsync(r => r with { Base = BaseRequest.Named("vm.img") });
        Assert.NotNull(again.Basis.MapOf);
        Assert.Equal(2, again.Rounds.Sum(r => r.BlocksScanned));
        Assert.Equal(2, again.Rounds.Sum(r => r.BlocksChanged));
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task Of_several_bases_the_nearest_is_chosen_by_the_map_without_a_scan()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(4, Length);
        byte[] near = (byte[])content.Clone();
        near[0] ^= 1;
        File.WriteAllBytes(lab.File("near.img"), near);
        await lab.Lab.PushAsync(lab.File("near.img"), "near.img");
        File.WriteAllBytes(lab.File("far.img"), SampleImage.Noise(5, Length));
        await lab.Lab.PushAsync(lab.File("far.img"), "far.img");
        await lab.PushFirstAsync();
        File.Delete(lab.Lab.Target());
        File.Delete(lab.Lab.Target("vm.img.seal"));

        PushResult again = await lab.PushAsync();
        Assert.Equal("near.img", again.BaseUsed);
        Assert.NotNull(again.Basis.MapOf);
        Assert.Equal(1 << 16, again.Rounds.Sum(r => r.BytesRead));
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task What_was_staged_is_gone_on_with_from_the_map()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(6, Length);
        await lab.PushFirstAsync();
        File.Move(lab.Lab.Target(), lab.Lab.Target("vm.img.partial"));

        PushResult again = await lab.PushAsync();
        Assert.True(again.Resumed);
        Assert.NotNull(again.Basis.MapOf);
        Assert.Equal(0, again.Rounds.Sum(r => r.BytesRead));
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_rescan_reads_all_of_the_source()
    {
        using WarmLab lab = new();
        lab.WriteSettled(7, Length);
        await lab.PushFirstAsync();
        PushResult again = await lab.PushAsync(r => r with { Rescan = true });
        Assert.Null(again.Basis.MapOf);
        Assert.Equal(Length, again.Rounds.Sum(r => r.BytesRead));
        Assert.Empty(again.Basis.NotSavedBecause);
        Assert.True((await lab.PushAsync()).Basis.IdenticalAlready);
    }

    [Fact]
    public async Task Who_wants_more_than_the_same_content_gets_it()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(8, Length);
        await lab.PushFirstAsync();

        PushResult fresh = await lab.PushAsync(r => r with { Flags = OpenFlags.Fresh });
        Assert.False(fresh.Basis.IdenticalAlready);
        PushResult empty = await lab.PushAsync(r => r with { Base = BaseRequest.None });
        Assert.False(empty.Basis.IdenticalAlready);
        Assert.Equal(Length, empty.Rounds.Sum(r => r.BytesRead));

        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        PushResult other = await lab.PushAsync(r => r with { Mode = mode });
        Assert.Equal("its mode or owner is to be changed", other.Basis.OpenedBecause);
        Assert.Equal(mode, File.GetUnixFileMode(lab.Lab.Target()));
        Assert.True((await lab.PushAsync(r => r with { Mode = mode, Owner = "0:0" })).Basis.IdenticalAlready);
        Assert.False((await lab.PushAsync(r => r with { Owner = "1:1" })).Basis.IdenticalAlready);
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task In_place_there_is_nothing_to_write()
    {
        using WarmLab lab = new();
        lab.WriteSettled(9, Length);
        await lab.PushFirstAsync();
        Assert.True((await lab.PushAsync(r => r with { Flags = OpenFlags.InPlace })).Basis.IdenticalAlready);
        Assert.True(File.Exists(lab.Lab.Target("vm.img.seal")));
    }

    [Fact]
    public async Task A_sparse_terabyte_is_not_looked_through()
    {
        using WarmLab lab = new(FileSystemKind.Xfs);
        using (FileStream file = File.Create(lab.Image))
        {
            file.SetLength(1L << 40);
            file.Position = 700L << 30;
            file.Write(SampleImage.Noise(10, 3 << 20));
        }

        lab.Settle();
        await lab.PushFirstAsync();
        Assert.InRange(FileStat.Of(lab.Map).AllocatedBytes, 1, 4 << 20);
        PushResult again = await lab.PushAsync();
        Assert.True(again.Basis.IdenticalAlready, again.Basis.ScannedBecause + again.Basis.OpenedBecause);
        Assert.Equal(64, again.Basis.AuditedBlocks);
        File.Delete(lab.Lab.Target());
        PushResult lost = await lab.PushAsync();
        Assert.Equal(48, lost.Rounds.Sum(r => r.BlocksScanned));
        Tool.Run("diffutils", "cmp", "--ignore-initial=" + (700L << 30), "--bytes=" + (4 << 20), lab.Image, lab.Lab.Target());
    }
}
