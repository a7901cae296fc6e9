using DiskSync.Engine.Replication;
using DiskSync.Formats.Seal;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.SavedMaps;

/// <summary>A seal stands for the destination's content only while nothing can have written it unseen.</summary>
public sealed class WarmDestinationTests
{
    private const int Length = 1 << 20;

    [Theory]
    [InlineData("printf X | dd of=$IMAGE bs=1 seek=5000 conv=notrunc status=none", "it has changed since it was sealed")]
    [InlineData("T=$(stat -c %y $IMAGE); printf X | dd of=$IMAGE bs=1 seek=5000 conv=notrunc status=none; touch -d \"$T\" $IMAGE", "it has changed since it was sealed")]
    [InlineData("cp --preserve=all $IMAGE $IMAGE.copy; mv $IMAGE.copy $IMAGE", "it has changed since it was sealed")]
    [InlineData("ln $IMAGE $IMAGE.link", "it has changed since it was sealed")]
    [InlineData("rm $IMAGE.seal", "it has no seal")]
    [InlineData("truncate -s 50 $IMAGE.seal", "it has no seal")]
    [InlineData("rm $IMAGE.map", "its map is gone")]
    [InlineData("rm $IMAGE", "there is no image file of that name")]
    [InlineData("touch $IMAGE.partial", "a staged copy stands beside it")]
    public async Task Whatever_happens_to_the_image_has_it_opened_and_made_right(string change, string why)
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(1, Length);
        await lab.PushFirstAsync();
        Tool.Run("dash", "sh", "-ec", change.Replace("$IMAGE", lab.Lab.Target(), StringComparison.Ordinal));

        PushResult again = await lab.PushAsync();
        Assert.Equal(why, again.Basis.OpenedBecause);
        Assert.NotNull(again.Basis.MapOf);
        Assert.False(again.Basis.IdenticalAlready);
        lab.Lab.AssertTarget(content);
        Assert.True((await lab.PushAsync()).Basis.IdenticalAlready);
    }

    [Fact]
    public async Task A_write_in_the_moment_after_the_seal_moves_its_stamp()
    {
        using WarmLab lab = new(FileSystemKind.Ext4);
        byte[] content = lab.WriteSettled(2, Length);
        for (int i = 0; i < 20; i++)
        {
            await lab.PushAsync();
            using (FileStream file = new(lab.Lab.Target(), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
            {
                file.WriteByte((byte)~content[0]);
            }

            Assert.False((await lab.PushAsync()).Basis.IdenticalAlready);
            lab.Lab.AssertTarget(content);
        }
    }

    [Fact]
    public async Task As_long_as_somebody_may_write_the_image_its_seal_does_not_stand_for_it()
    {
        using WarmLab lab = new();
        lab.WriteSettled(3, Length);
        await lab.PushFirstAsync();
        using (LinuxFile.Open(lab.Lab.Target(), LinuxOpen.ReadWrite))
        {
            Assert.Equal("somebody has it open for writing", (await lab.PushAsync()).Basis.OpenedBecause);
        }

        using (LoopDevice.FromFile(lab.Lab.Target()))
        {
            // It is refused as ever: whoever has a loop device of it would not see the copy that replaces it.
            await Assert.ThrowsAsync<PeerAbortedException>(() => lab.PushAsync());
        }
    }

    [Fact]
    public async Task A_seal_from_before_a_restart_or_of_version_1_does_not_stand_for_the_image()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(4, Length);
        await lab.PushFirstAsync();
        string path = lab.Lab.Target("vm.img.seal");
        SealRecord seal = SealCodec.Decode(File.ReadAllBytes(path));
        Assert.Equal(BootId.Current, seal.SettledBoot);

        File.WriteAllBytes(path, SealCodec.Encode(seal with { SettledBoot = Guid.NewGuid() }));
        Assert.Equal("its host was started again since it was sealed", (await lab.PushAsync()).Basis.OpenedBecause);
        File.WriteAllBytes(path, SealCodec.Encode(SealCodec.Decode(File.ReadAllBytes(path)) with { SettledBoot = Guid.Empty }));
        Assert.Equal("its seal does not say that it stood still", (await lab.PushAsync()).Basis.OpenedBecause);
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task An_image_whose_medium_lost_what_its_seal_says_is_made_right()
    {
        using WarmLab lab = new();
        byte[] content = lab.WriteSettled(5, Length);
        await lab.PushFirstAsync();
        File.WriteAllBytes(lab.Lab.Target(), new byte[Length]);
        string path = lab.Lab.Target("vm.img.seal");
        FileStat now = FileStat.Of(lab.Lab.Target());
        SealRecord seal = SealCodec.Decode(File.ReadAllBytes(path));
        File.WriteAllBytes(path, SealCodec.Encode(seal with
        {
            Stamp = seal.Stamp with { ModifiedNs = now.ModifiedNanoseconds, ChangedNs = now.ChangedNanoseconds },
        }));

        PushResult again = await lab.PushAsync();
        Assert.Contains("is not what its seal says", again.Basis.OpenedBecause, StringComparison.Ordinal);
        lab.Lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_name_that_leads_out_of_the_root_is_refused()
    {
        using WarmLab lab = new();
        lab.WriteSettled(6, Length);
        await lab.PushFirstAsync();
        await Assert.ThrowsAsync<PeerAbortedException>(() => lab.PushAsync(name: "../a.img"));
        File.CreateSymbolicLink(lab.Lab.Target("link.img"), lab.Lab.Target());
        await Assert.ThrowsAsync<PeerAbortedException>(() => lab.PushAsync(name: "link.img"));
    }
}
