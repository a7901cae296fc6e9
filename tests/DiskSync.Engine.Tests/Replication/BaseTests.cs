using DiskSync.Codecs;
using DiskSync.Engine.Journal;
using DiskSync.Engine.Replication;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Journal;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

public sealed class BaseTests : IDisposable
{
    private const int Block = 64 << 10;
    private readonly SessionLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task The_base_with_the_fewest_differing_blocks_of_three_is_chosen()
    {
        byte[] content = SampleImage.Noise(1, 32 * Block);
        await PushBaseAsync("far.img", content, differing: 20);
        await PushBaseAsync("near.img", content, differing: 2);
        await PushBaseAsync("middle.img", content, differing: 9);
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        Assert.Equal("near.img", result.BaseUsed);
        Assert.Equal(2, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_base_that_is_named_is_used_even_where_another_is_nearer()
    {
        byte[] content = SampleImage.Noise(1, 32 * Block);
        await PushBaseAsync("far.img", content, differing: 20);
        await PushBaseAsync("near.img", content, differing: 2);
        PushResult result = await _lab.PushAsync(
            _lab.Source("a.img", content), with: r => r with { Base = BaseRequest.Named("far.img") });
        Assert.Equal("far.img", result.BaseUsed);
        Assert.Equal(20, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task Without_a_base_everything_is_sent()
    {
        byte[] content = SampleImage.Noise(1, 16 * Block);
        await PushBaseAsync("near.img", content, differing: 1);
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content), with: r => r with { Base = BaseRequest.None });
        Assert.Equal(string.Empty, result.BaseUsed);
        Assert.Equal(16, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task An_image_deeper_than_bases_are_looked_for_is_its_own_base()
    {
        const string Name = "1/2/3/4/5/vm.img";
        Directory.CreateDirectory(Path.Join(_lab.Root, "1/2/3/4/5"));
        byte[] content = SampleImage.Noise(1, 16 * Block);
        await _lab.PushAsync(_lab.Source("a.img", content), Name);
        content[3 * Block] ^= 1;
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content), Name);
        Assert.Equal(Name, result.BaseUsed);
        Assert.Equal(1, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content, Name);
    }

    [Fact]
    public async Task A_base_that_does_not_exist_is_refused_and_the_bases_that_do_are_named()
    {
        byte[] content = SampleImage.Noise(1, 4 * Block);
        await PushBaseAsync("real.img", content, differing: 1);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            _lab.Source("a.img", content), with: r => r with { Base = BaseRequest.Named("nowhere.img") }));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("nowhere.img", failure.Message, StringComparison.Ordinal);
        Assert.Contains("real.img", failure.Advice, StringComparison.Ordinal);
        Assert.False(File.Exists(_lab.Target()));

        // Nothing that the refusal left behind keeps the next push from working.
        await _lab.PushAsync(_lab.Source("a.img", content));
        _lab.AssertTarget(content);
    }

    [Theory]
    [InlineData(5 * Block)]
    [InlineData((5 * Block) + 100)]
    [InlineData(40 * Block)]
    [InlineData((40 * Block) + 100)]
    [InlineData((32 * Block) + 100)]
    [InlineData((31 * Block) + 100)]
    public async Task A_base_may_be_shorter_or_longer_than_the_image(int baseLength)
    {
        byte[] all = SampleImage.Noise(1, 48 * Block);
        byte[] content = all[..((32 * Block) + 512)];
        await _lab.PushAsync(_lab.Source("base.img", all.AsSpan(0, baseLength)), "base.img");
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        Assert.Equal("base.img", result.BaseUsed);
        _lab.AssertTarget(content);
        int differing = baseLength >= content.Length ? 0 : 33 - (baseLength / Block);
        Assert.Equal(differing, result.Rounds[0].BlocksChanged);
    }

    [Fact]
    public async Task Of_two_bases_that_are_longer_than_the_image_the_nearer_one_is_chosen()
    {
        byte[] content = SampleImage.Noise(1, 8 * Block);
        byte[] more = SampleImage.Noise(2, 40 * Block);
        await PushBaseAsync("far.img", [.. content, .. more], differing: 5);
        await PushBaseAsync("near.img", [.. content, .. more[..(9 * Block)]], differing: 1);
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        Assert.Equal("near.img", result.BaseUsed);
        Assert.Equal(1, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task Of_several_bases_one_that_is_longer_than_the_image_is_compared_as_far_as_the_image_goes()
    {
        byte[] all = SampleImage.Noise(1, 48 * Block);
        byte[] content = all[..((32 * Block) + 512)];
        await PushBaseAsync("far.img", content, differing: 9);
        await PushBaseAsync("long.img", all, differing: 2);
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        Assert.Equal("long.img", result.BaseUsed);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_base_that_was_written_since_it_was_sealed_is_hashed_again()
    {
        byte[] content = SampleImage.Noise(1, 16 * Block);
        await PushBaseAsync("base.img", content, differing: 1);
        using (FileStream file = new(_lab.Target("base.img"), FileMode.Open, FileAccess.Write))
        {
            file.Position = 10 * Block;
            file.WriteByte(1);
        }

        PushResult result = await _lab.PushAsync(
            _lab.Source("a.img", content), with: r => r with { Base = BaseRequest.Named("base.img") });
        Assert.Equal(2, result.Rounds[0].BlocksChanged);
        Assert.Contains("hashed again", result.Notice, StringComparison.Ordinal);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_damaged_map_of_a_base_costs_a_hash_and_nothing_else()
    {
        byte[] content = SampleImage.Noise(1, 16 * Block);
        await PushBaseAsync("base.img", content, differing: 1);
        byte[] map = await File.ReadAllBytesAsync(_lab.Target("base.img.map"));
        map[^10] ^= 1;
        await File.WriteAllBytesAsync(_lab.Target("base.img.map"), map);
        PushResult result = await _lab.PushAsync(
            _lab.Source("a.img", content), with: r => r with { Base = BaseRequest.Named("base.img") });
        _lab.AssertTarget(content);
        Assert.Equal(1, result.Rounds[0].BlocksChanged);
    }

    [Fact]
    public async Task A_clone_of_the_base_that_was_cut_off_is_made_again_instead_of_sending_what_it_lacks()
    {
        byte[] content = SampleImage.Noise(1, 32 * Block);
        await PushBaseAsync("base.img", content, differing: 2);
        string staged = _lab.Target() + ".partial";
        await File.WriteAllBytesAsync(staged, content[..(12 * Block)]);
        using (TransferJournal journal = TransferJournal.Create(
            new JournalBeside(staged), new BlockGeometry(content.Length, Block), unstoredIsZero: false, proven: false, fence: 0))
        {
            journal.WriteNote(new JournalNote("base.img", Hash256.Unknown));
        }

        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        Assert.Equal("base.img", result.BaseUsed);
        Assert.Equal(2, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_cut_off_clone_whose_base_is_gone_is_gone_on_with()
    {
        byte[] content = SampleImage.Noise(1, 32 * Block);
        string staged = _lab.Target() + ".partial";
        await File.WriteAllBytesAsync(staged, content[..(12 * Block)]);
        using (TransferJournal journal = TransferJournal.Create(
            new JournalBeside(staged), new BlockGeometry(content.Length, Block), unstoredIsZero: false, proven: false, fence: 0))
        {
            journal.WriteNote(new JournalNote("base.img", Hash256.Unknown));
        }

        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        Assert.True(result.Resumed);
        Assert.Equal(20, result.Rounds[0].BlocksChanged);
        _lab.AssertTarget(content);
    }

    private async Task PushBaseAsync(string name, byte[] content, int differing)
    {
        byte[] changed = [.. content];
        for (int i = 0; i < differing; i++)
        {
            // The whole block, so that counting blocks and counting bytes say the same.
            SampleImage.Noise(100 + i, Block).CopyTo(changed, i * Block);
        }

        await _lab.PushAsync(_lab.Source(name, changed), name, with: r => r with { Base = BaseRequest.None });
    }
}
