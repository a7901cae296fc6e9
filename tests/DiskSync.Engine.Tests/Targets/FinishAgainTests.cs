using DiskSync.Engine.Replication;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Targets;

/// <summary>A hand-over that is finished by another session than the one that prepared it: what is sealed must be what was proven.</summary>
public sealed class FinishAgainTests : IDisposable
{
    private const int Length = (1 << 20) + 512;
    private static readonly byte[] Content = SampleImage.Noise(1, Length);
    private readonly PreparedCopy _copy = new();

    public void Dispose() => _copy.Dispose();

    [Fact]
    public void What_was_prepared_gets_its_name_and_its_seal_and_doing_it_again_changes_nothing()
    {
        SealRequest seal = _copy.Prepare("a.img", Content);
        Finish("a.img", seal);
        byte[] first = File.ReadAllBytes(_copy.PathOf("a.img.seal"));
        Finish("a.img", seal);
        Assert.Equal(Content, File.ReadAllBytes(_copy.PathOf("a.img")));
        Assert.Equal(first, File.ReadAllBytes(_copy.PathOf("a.img.seal")));
        Assert.Equal(["a.img", "a.img.map", "a.img.seal"], Directory.GetFiles(_copy.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_kill_between_the_name_and_the_seal_is_made_good_by_reading_the_image()
    {
        SealRequest seal = _copy.Prepare("a.img", Content);
        File.Move(_copy.PathOf("a.img.partial"), _copy.PathOf("a.img"));
        Finish("a.img", seal);
        Assert.Equal(seal.Root, SealCodec.Decode(File.ReadAllBytes(_copy.PathOf("a.img.seal"))).Root);
    }

    [Fact]
    public void A_copy_that_was_lost_is_not_replaced_by_an_old_image_of_the_same_length()
    {
        byte[] old = SampleImage.Noise(2, Length);
        SealRequest seal = _copy.Prepare("a.img", Content);
        File.Delete(_copy.PathOf("a.img.partial"));
        File.WriteAllBytes(_copy.PathOf("a.img"), old);
        AssertLost("a.img", seal);
        Assert.Equal(old, File.ReadAllBytes(_copy.PathOf("a.img")));
    }

    [Fact]
    public void A_copy_that_another_receiver_has_written_since_is_not_sealed()
    {
        SealRequest seal = _copy.Prepare("a.img", Content);
        _copy.Overwrite("a.img", SampleImage.Noise(2, Length), blocks: 3);
        AssertLost("a.img", seal);
        Assert.False(File.Exists(_copy.PathOf("a.img")));
    }

    [Fact]
    public void A_finished_image_is_not_replaced_by_whatever_is_staged_beside_it_later()
    {
        SealRequest seal = _copy.Prepare("a.img", Content);
        Finish("a.img", seal);
        _copy.Overwrite("a.img", SampleImage.Noise(2, Length), blocks: 3);
        Finish("a.img", seal);
        Assert.Equal(Content, File.ReadAllBytes(_copy.PathOf("a.img")));
        Assert.True(File.Exists(_copy.PathOf("a.img.partial.journal")), "the journal of the other copy is its own");
    }

    [Fact]
    public void A_device_is_sealed_too_and_never_with_a_root_that_it_was_not_proven_to_have()
    {
        using LoopDevice device = LoopDevice.Create(2 << 20);
        using PreparedCopy devices = new("/dev");
        SealRequest seal = devices.Prepare(device.Name, Content, OpenFlags.InPlace);
        string identity = devices.Provider.IdentityOf(device.Name);
        DiskSyncException wrong = Assert.ThrowsAny<DiskSyncException>(
            () => devices.Provider.FinishAgain(identity, seal with { Root = Codecs.Blake3.Hash("other"u8) }));
        Assert.Equal(FailureKind.OwnershipInDoubt, wrong.Kind);
        devices.Provider.FinishAgain(identity, seal);
        devices.Provider.FinishAgain(identity, seal);
        Assert.True(devices.Provider.HasRoot(identity, seal.Root, CancellationToken.None));
        Assert.True(File.ReadAllBytes(device.BackingFile).AsSpan(0, Length).SequenceEqual(Content));

        using (FileStream guest = new(device.Path, FileMode.Open, FileAccess.Write))
        {
            guest.Write(new byte[4096]);
            guest.Flush(flushToDisk: true);
        }

        Assert.False(devices.Provider.HasRoot(identity, seal.Root, CancellationToken.None));
    }

    [Fact]
    public void An_image_that_somebody_has_open_is_not_handed_back()
    {
        SealRequest seal = _copy.Prepare("a.img", Content);
        Finish("a.img", seal);
        string identity = _copy.Provider.IdentityOf("a.img");
        _copy.Provider.RefuseOpen(identity);
        using (new FileStream(_copy.PathOf("a.img"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            DiskSyncException failure = Assert.Throws<DiskSyncException>(() => _copy.Provider.RefuseOpen(identity));
            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains("a process has it open", failure.Message, StringComparison.Ordinal);
        }

        _copy.Provider.RefuseOpen(identity);
    }

    private void Finish(string name, SealRequest seal) => _copy.Provider.FinishAgain(_copy.Provider.IdentityOf(name), seal);

    private void AssertLost(string name, SealRequest seal)
    {
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => Finish(name, seal));
        Assert.Equal(FailureKind.OwnershipInDoubt, failure.Kind);
        Assert.False(File.Exists(_copy.PathOf(name + ".seal")));
    }
}
