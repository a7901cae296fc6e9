using DiskSync.Engine.Runs;
using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Runs;

public sealed class StagedCopiesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("vm.img.partial", "vm.img.partial.journal.new")]
    [InlineData("vm.img.partial", "vm.img.map.new")]
    [InlineData("vm.img", "vm.img.seal.new")]
    public void What_a_live_run_is_about_to_rename_is_in_use_and_not_removed(string written, string fresh)
    {
        _folder.Write(written, [1]);
        string path = _folder.Write(fresh, [2]);
        using (LinuxFile run = LinuxFile.Open(_folder.File(written), LinuxOpen.ReadWrite))
        {
            Assert.True(run.TryLockExclusive());
            StagedCopy live = LeftOver();
            Assert.True(live.InUse);
            Assert.Equal(FailureKind.Preflight, Assert.Throws<DiskSyncException>(() => StagedCopies.Remove(live)).Kind);
            Assert.True(File.Exists(path));
        }

        StagedCopy dead = LeftOver();
        Assert.False(dead.InUse);
        StagedCopies.Remove(dead);
        Assert.False(File.Exists(path));
        Assert.True(File.Exists(_folder.File(written)));
    }

    [Fact]
    public void The_seal_and_map_of_a_handed_over_image_go_with_it_and_alone_they_are_left_over()
    {
        string ceded = _folder.Write("vm.img.ceded-4", [1]);
        _folder.Write("vm.img.ceded-4.seal", [1]);
        _folder.Write("vm.img.ceded-4.map", [1]);
        StagedCopy all = Assert.Single(StagedCopies.Find(_folder.Path));
        Assert.Equal((StagedKind.Ceded, _folder.File("vm.img"), 3), (all.Kind, all.Image, all.Files.Count));
        File.Delete(ceded);
        Assert.All(StagedCopies.Find(_folder.Path), c => Assert.Equal(StagedKind.LeftOver, c.Kind));
        foreach (StagedCopy left in StagedCopies.Find(_folder.Path))
        {
            StagedCopies.Remove(left);
        }

        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private StagedCopy LeftOver() => Assert.Single(StagedCopies.Find(_folder.Path), c => c.Kind == StagedKind.LeftOver);
}
