using DiskSync.Engine.Blocks;
using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

public sealed class PushTests : IDisposable
{
    private const int K = 1024;
    private readonly SessionLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Theory]
    [InlineData(1, 64 * K)]
    [InlineData(512, 4 * K)]
    [InlineData(4 * K, 4 * K)]
    [InlineData(64 * K, 64 * K)]
    [InlineData((300 * K) + 512, 4 * K)]
    [InlineData((1000 * K) + 512, 64 * K)]
    [InlineData((777 * K) + 13, 64 * K)]
    [InlineData((9 * 1024 * K) + 512, 4096 * K)]
    public async Task A_pushed_image_is_identical_whatever_its_length_and_granularity(int length, int granularity)
    {
        byte[] content = SampleImage.Create(length, length);
        content[^1] = 7;
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content), granularity: granularity);
        _lab.AssertTarget(content);
        Assert.Null(_lab.ReceiverFailure);
        Assert.Equal(_lab.Target(), result.Path);
        Assert.Equal(["vm.img", "vm.img.map", "vm.img.seal"], Directory.GetFiles(_lab.Root).Select(Path.GetFileName).Order());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_lab.Target()));
    }

    [Fact]
    public async Task An_image_of_holes_sends_no_data_and_stays_sparse()
    {
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", new byte[32 << 20]));
        Assert.Equal(32 << 20, new FileInfo(_lab.Target()).Length);
        Assert.True(result.BytesSent < 4000, $"{result.BytesSent} bytes were sent");
        Assert.Equal("0", Tool.Run("coreutils", "stat", "-c", "%b", _lab.Target()));
    }

    [Fact]
    public async Task A_second_push_sends_only_what_changed_and_small_changes_as_patches()
    {
        byte[] content = SampleImage.Noise(1, 4 << 20);
        await _lab.PushAsync(_lab.Source("a.img", content));
        for (int block = 0; block < 64; block += 8)
        {
            content[(block * 64 * K) + (20 * K)] ^= 1;
        }

        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        _lab.AssertTarget(content);
        RoundResult round = Assert.Single(result.Rounds);
        Assert.Equal(8, round.BlocksChanged);
        Assert.Equal(8, round.PatchedBlocks);
        Assert.Equal("vm.img", result.BaseUsed);
        Assert.True(result.BytesSent < (8 * 4 * K) + 6000, $"{result.BytesSent} bytes were sent for 8 changes of 4 KiB");
    }

    [Fact]
    public async Task A_small_change_where_the_destination_holds_zeros_travels_small()
    {
        byte[] content = SampleImage.Noise(1, 4 << 20);
        content.AsSpan(1 << 20, 2 << 20).Clear();
        await _lab.PushAsync(_lab.Source("a.img", content));
        for (int block = 16; block < 48; block += 4)
        {
            SampleImage.Noise(block, 4 * K).CopyTo(content, (block * 64 * K) + (20 * K));
        }

        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        _lab.AssertTarget(content);
        Assert.Equal(8, result.Rounds[0].PatchedBlocks);
        Assert.True(result.BytesSent < (8 * 4 * K) + 6000, $"{result.BytesSent} bytes were sent for 8 changes of 4 KiB");
    }

    [Fact]
    public async Task An_unchanged_image_is_proven_again_without_sending_a_block()
    {
        byte[] content = SampleImage.Create(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        PushResult first = await _lab.PushAsync(image);
        PushResult second = await _lab.PushAsync(image);
        Assert.Equal(0, second.Rounds.Sum(r => r.BlocksChanged));
        Assert.Equal(first.Root, second.Root);
        Assert.True(second.BytesReadBack > 0, "what a base lends is read back before it is sealed");
    }

    [Fact]
    public async Task An_image_may_grow_and_shrink_between_pushes()
    {
        byte[] content = SampleImage.Create(5, (1 << 20) + 100);
        await _lab.PushAsync(_lab.Source("a.img", content));
        byte[] longer = [.. content, .. SampleImage.Create(6, 300 * K)];
        await _lab.PushAsync(_lab.Source("a.img", longer));
        _lab.AssertTarget(longer);
        byte[] shorter = longer[..(500 * K)];
        await _lab.PushAsync(_lab.Source("a.img", shorter));
        _lab.AssertTarget(shorter);
    }

    [Fact]
    public async Task Contents_that_occur_twice_travel_once()
    {
        byte[] part = SampleImage.Noise(3, 512 * K);
        byte[] content = [.. part, .. part, .. part];
        _lab.Options = _lab.Options with { Workers = 1, MaxBatches = 1 };
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content));
        _lab.AssertTarget(content);
        Assert.Equal(16, result.Rounds[0].CopiedBlocks);
    }

    [Fact]
    public async Task An_image_that_was_put_to_use_while_its_new_copy_was_made_is_not_replaced()
    {
        byte[] old = SampleImage.Noise(1, 1 << 20);
        await _lab.PushAsync(_lab.Source("a.img", old));
        LoopDevice? used = null;
        try
        {
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
                _lab.Source("a.img", SampleImage.Noise(2, 1 << 20)),
                progress: new OnFirstRound(() => used ??= LoopDevice.FromFile(_lab.Target()))));
            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains("is in use", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            used?.Dispose();
        }

        _lab.AssertTarget(old);
    }

    [Fact]
    public async Task A_symbolic_link_is_not_replaced_by_an_image()
    {
        byte[] old = SampleImage.Noise(1, 100 * K);
        await File.WriteAllBytesAsync(_lab.Target("real.img"), old);
        File.CreateSymbolicLink(_lab.Target(), "real.img");
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => _lab.PushAsync(_lab.Source("a.img", SampleImage.Noise(2, 100 * K))));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("symbolic link", failure.Message, StringComparison.Ordinal);
        _lab.AssertTarget(old, "real.img");
    }

    [Fact]
    public async Task Mode_and_owner_of_the_replaced_image_are_kept_unless_others_are_asked_for()
    {
        byte[] content = SampleImage.Create(1, 100 * K);
        await File.WriteAllBytesAsync(_lab.Target(), [1, 2, 3]);
        File.SetUnixFileMode(_lab.Target(), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Tool.Run("coreutils", "chown", "12:34", _lab.Target());
        await _lab.PushAsync(_lab.Source("a.img", content));
        _lab.AssertTarget(content);
        Assert.Equal("440 12 34", Stat());

        await _lab.PushAsync(_lab.Source("a.img", content), with: r => r with
        {
            Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead,
            Owner = "root:5",
        });
        Assert.Equal("604 0 5", Stat());

        string Stat() => Tool.Run("coreutils", "stat", "-c", "%a %u %g", _lab.Target());
    }

    [Fact]
    public async Task An_owner_that_is_not_known_there_is_refused_before_anything_is_sent()
    {
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            _lab.Source("a.img", SampleImage.Create(1, 100 * K)), with: r => r with { Owner = "no-such-user-here" }));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("no-such-user-here", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_lab.Root));
    }

    [Fact]
    public async Task An_empty_image_is_refused()
    {
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(_lab.Source("a.img", [])));
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.Contains("empty", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_lab.Root));
    }

    [Theory]
    [InlineData("../outside.img")]
    [InlineData("/etc/outside.img")]
    [InlineData("link/outside.img")]
    [InlineData("sub/../../outside.img")]
    [InlineData("missing/outside.img")]
    [InlineData("vm.img.partial")]
    [InlineData("vm.img.seal")]
    [InlineData("..")]
    [InlineData("a\nb")]
    public async Task A_name_that_leaves_the_root_or_is_our_own_is_refused(string name)
    {
        Directory.CreateDirectory(Path.Join(_lab.Root, "sub"));
        using TempFolder outside = new();
        File.CreateSymbolicLink(Path.Join(_lab.Root, "link"), outside.Path);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            _lab.Source("a.img", SampleImage.Create(1, 100 * K)), name, with: r => r with { Base = BaseRequest.None }));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("refused", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(outside.Path));
        Assert.False(File.Exists(_lab.Target("../outside.img")));
    }

    [Fact]
    public async Task A_file_in_place_is_written_where_it_stands()
    {
        byte[] old = SampleImage.Create(8, 1 << 20);
        await File.WriteAllBytesAsync(_lab.Target(), old);
        string inode = Tool.Run("coreutils", "stat", "-c", "%i", _lab.Target());
        byte[] content = SampleImage.Create(9, (1 << 20) - 512);
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", content), with: r => r with { Flags = OpenFlags.InPlace });
        _lab.AssertTarget(content);
        Assert.Equal(inode, Tool.Run("coreutils", "stat", "-c", "%i", _lab.Target()));
        Assert.Contains("hashed whole", result.Notice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OpenFlags.None)]
    [InlineData(OpenFlags.InPlace)]
    public async Task A_name_that_is_a_symbolic_link_is_refused_and_neither_it_nor_what_it_leads_to_is_touched(OpenFlags flags)
    {
        byte[] old = SampleImage.Create(8, 100 * K);
        await File.WriteAllBytesAsync(_lab.Target("real.img"), old);
        File.CreateSymbolicLink(_lab.Target(), "real.img");
        File.CreateSymbolicLink(_lab.Target("nowhere.img"), "gone.img");
        foreach (string name in new[] { "vm.img", "nowhere.img" })
        {
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
                _lab.Source("a.img", SampleImage.Create(9, 100 * K)), name, with: r => r with { Flags = flags }));
            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains("symbolic link", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, Directory.GetFileSystemEntries(_lab.Root).Length);
        Assert.Equal(old, await File.ReadAllBytesAsync(_lab.Target("real.img")));
    }

    [Fact]
    public async Task In_place_needs_something_that_stands_there()
    {
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            _lab.Source("a.img", [1]), with: r => r with { Flags = OpenFlags.InPlace }));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("nothing to write in place", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OpenFlags.None)]
    [InlineData(OpenFlags.InPlace)]
    public async Task The_source_itself_as_destination_is_refused_before_anything_is_written(OpenFlags flags)
    {
        using TempFolder folder = new();
        byte[] content = SampleImage.Create(1, 300 * K);
        string image = folder.Write("same.img", content);
        File.CreateSymbolicLink(folder.File("link.img"), "same.img");
        Tool.Run("coreutils", "ln", image, folder.File("hard.img"));
        using SessionLab lab = new(folder.Path, sources: [image]);
        foreach (string name in new[] { "same.img", "hard.img", "link.img" })
        {
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
                () => lab.PushAsync(image, name, with: r => r with { Flags = flags }));
            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains(name == "link.img" ? "symbolic link" : "same file as the source", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, Directory.GetFiles(folder.Path).Length);
        Assert.Equal(content, await File.ReadAllBytesAsync(image));
    }

    [Theory]
    [InlineData(-100_000, "shr")]
    [InlineData(100_000, "grew")]
    public async Task A_source_that_changes_its_length_while_it_is_copied_fails_and_harms_nothing(int change, string word)
    {
        byte[] old = SampleImage.Create(2, 100 * K);
        await _lab.PushAsync(_lab.Source("old.img", old));
        string image = _lab.Source("a.img", SampleImage.Noise(1, 2 << 20));

        // The first bytes are on their way when the length changes; the copy goes on only after that.
        DelayingProxy wire = new(holdAfter: 300 * K);
        Task<PushResult> push = _lab.PushAsync(image, wire: wire, with: r => r with { Base = BaseRequest.None });
        await wire.Holding.WaitAsync(SessionLab.Patience);
        using (FileStream file = new(image, FileMode.Open, FileAccess.Write))
        {
            file.SetLength((2 << 20) + change);
        }

        wire.Release();
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => push);
        Assert.Equal(FailureKind.Source, failure.Kind);
        Assert.True(
            failure.Message.Contains(word, StringComparison.Ordinal) || failure.Message.Contains("ends there", StringComparison.Ordinal),
            failure.Message);
        _lab.AssertTarget(old);
        Assert.True(File.Exists(_lab.Target("vm.img.seal")));
    }

    [Fact]
    public async Task A_push_that_is_stopped_says_how_to_go_on_and_goes_on()
    {
        byte[] content = SampleImage.Noise(1, 2 << 20);
        string image = _lab.Source("a.img", content);
        using CancellationTokenSource stop = new();
        DelayingProxy wire = new(holdAfter: 500 * K);
        Task<PushResult> push = _lab.PushAsync(image, wire: wire, cancellationToken: stop.Token);
        await wire.Holding.WaitAsync(SessionLab.Patience);
        await stop.CancelAsync();
        wire.Release();
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => push);
        Assert.Equal(FailureKind.Interrupted, failure.Kind);
        Assert.Contains("same command again", failure.Advice, StringComparison.Ordinal);
        Assert.False(File.Exists(_lab.Target()));

        PushResult second = await _lab.PushAsync(image);
        Assert.True(second.Resumed);
        Assert.True(second.Rounds[0].ChangedBytes < content.Length, "what had arrived was sent again");
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task Every_byte_is_counted_against_the_limit_once()
    {
        RateLimiter limiter = new(1_000_000_000);
        _lab.Options = _lab.Options with { Limiter = limiter };
        PushResult result = await _lab.PushAsync(_lab.Source("vm.img", SampleImage.Noise(3, 2 << 20)));

        // All but the preambles, which are sent before anything is limited.
        Assert.InRange(limiter.BytesPassed, result.BytesSent - 100, result.BytesSent);
    }
}
