using DiskSync.Engine.Replication;
using DiskSync.Engine.SavedMaps;
using DiskSync.Engine.Tests.Replication;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.SavedMaps;

/// <summary>Block devices have no leases: what the kernel counts tells of writes.</summary>
public sealed class WarmDeviceTests : IDisposable
{
    private const int Length = 4 << 20;
    private readonly TempFolder _folder = new();
    private readonly SessionLab _lab = new();
    private readonly SavedMapStore _store;
    private readonly string _backing;

    public WarmDeviceTests()
    {
        _store = new SavedMapStore(_folder.File("state"));
        _backing = _folder.Write("disk.img", SampleImage.Noise(1, Length));
    }

    public void Dispose()
    {
        _lab.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("dd if=/dev/urandom of=$DEVICE bs=4096 count=1 seek=17 oflag=direct conv=notrunc status=none")]
    [InlineData("dd if=/dev/urandom of=$DEVICE bs=4096 count=1 seek=17 conv=notrunc status=none")]
    [InlineData("blkdiscard --force --offset 65536 --length 65536 $DEVICE")]
    [InlineData("blkdiscard --force --zeroout --offset 65536 --length 65536 $DEVICE")]
    public async Task A_device_is_believed_to_be_its_map_until_a_sector_is_written_or_discarded(string change)
    {
        using LoopDevice loop = LoopDevice.FromFile(_backing);
        PushResult first = await PushAsync(loop.Path);
        Assert.Empty(first.Basis.NotSavedBecause);
        PushResult again = await PushAsync(loop.Path);
        Assert.True(again.Basis.IdenticalAlready, again.Basis.ScannedBecause + again.Basis.OpenedBecause);
        Assert.Equal(64, again.Basis.AuditedBlocks);

        Tool.Run("util-linux", "sh", "-ec", change.Replace("$DEVICE", loop.Path, StringComparison.Ordinal));
        PushResult changed = await PushAsync(loop.Path);
        Assert.Null(changed.Basis.MapOf);
        Assert.Contains("it has changed since its map was saved", changed.Basis.ScannedBecause, StringComparison.Ordinal);
        Tool.Run("diffutils", "cmp", loop.Path, _lab.Target());
    }

    [Fact]
    public async Task Another_disk_behind_the_same_name_is_scanned()
    {
        string path;
        using (LoopDevice loop = LoopDevice.FromFile(_backing))
        {
            path = loop.Path;
            await PushAsync(path);
        }

        using LoopDevice other = LoopDevice.FromFile(_backing);
        PushResult again = await PushAsync(other.Path);
        Assert.Null(again.Basis.MapOf);
        Assert.Contains(
            path == other.Path ? "another device" : "no map of it is saved", again.Basis.ScannedBecause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_is_written_while_it_is_copied_has_no_map_saved()
    {
        using LoopDevice loop = LoopDevice.FromFile(_backing);
        OnFirstRound progress = new(() =>
            Tool.Run("coreutils", "dd", "if=/dev/zero", $"of={loop.Path}", "bs=4096", "count=1", "oflag=direct", "conv=notrunc", "status=none"));
        PushResult result = await _lab.PushAsync(loop.Path, with: r => r with { Maps = _store }, progress: progress);
        Assert.Equal("it was written meanwhile", result.Basis.NotSavedBecause);
        Assert.Empty(_store.List());
    }

    private Task<PushResult> PushAsync(string device) => _lab.PushAsync(device, with: r => r with { Maps = _store });
}
