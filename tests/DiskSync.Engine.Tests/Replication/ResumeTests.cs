using DiskSync.Engine.Replication;
using DiskSync.Formats.Journal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;
using FsCheck.Xunit;

namespace DiskSync.Engine.Tests.Replication;

public sealed class ResumeTests : IDisposable
{
    private const int K = 1024;
    private readonly SessionLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task A_connection_that_is_cut_anywhere_is_gone_on_from_and_sends_again_only_what_was_on_its_way(int seed)
    {
        const int Length = 3 << 20;
        byte[] content = SampleImage.Noise(seed, Length);
        byte[] old = SampleImage.Create(seed, 200 * K);
        await _lab.PushAsync(_lab.Source("old.img", old));
        string image = _lab.Source("a.img", content);
        int cut = new Random(seed).Next(1, Length + (50 * K));
        DelayingProxy wire = new(cutAfter: cut);
        TransferRequest NoBase(TransferRequest r) => r with { Base = BaseRequest.None };
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(image, wire: wire, with: NoBase));
        Assert.Equal(FailureKind.Transport, failure.Kind);
        _lab.AssertTarget(old);

        PushResult resumed = await _lab.PushAsync(image, with: NoBase);
        _lab.AssertTarget(content);

        // Four batches of a block, one being filled, one cut off, and the frames' own bytes.
        long again = resumed.Rounds[0].ChangedBytes - (Length - cut);
        Assert.True(again <= (8 * 64 * K) + (cut / 50), $"{again} bytes too many were sent after a cut at {cut}");
    }

    [Fact]
    public async Task A_staged_journal_that_is_damaged_or_cut_off_only_costs_a_hash()
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        for (int seed = 0; seed < 8; seed++)
        {
            File.Delete(_lab.Target());
            await Assert.ThrowsAnyAsync<DiskSyncException>(
                () => _lab.PushAsync(image, wire: new DelayingProxy(cutAfter: 600 * K), with: r => r with { Base = BaseRequest.None }));
            byte[] journal = await File.ReadAllBytesAsync(_lab.Target("vm.img.partial.journal"));
            Random random = new(seed);
            if (seed % 2 == 0)
            {
                journal = journal[..random.Next(journal.Length)];
            }
            else
            {
                journal[random.Next(journal.Length)] ^= (byte)(1 << random.Next(8));
            }

            await File.WriteAllBytesAsync(_lab.Target("vm.img.partial.journal"), journal);
            PushResult result = await _lab.PushAsync(image, with: r => r with { Base = BaseRequest.None });
            Assert.True(result.Resumed);
            Assert.True(result.Rounds[0].ChangedBytes < content.Length, "the staged copy was not used");
            _lab.AssertTarget(content);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(2 << 20)]
    public async Task A_staged_copy_that_somebody_cut_off_or_deleted_is_not_believed(int length)
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(image, wire: new DelayingProxy(cutAfter: 900 * K)));
        await using (FileStream staged = new(_lab.Target("vm.img.partial"), FileMode.Open, FileAccess.Write))
        {
            staged.SetLength(length);
        }

        await _lab.PushAsync(image);
        _lab.AssertTarget(content);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8223)]
    [InlineData(8225)]
    public async Task A_staged_map_that_is_gone_or_was_cut_off_only_costs_a_hash(int length)
    {
        // The map of an image that began empty means zeros where it has nothing: believing it would seal a wrong copy.
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        await LeaveJournalAsync(image);
        string map = _lab.Target("vm.img.partial.map");
        if (length < 0)
        {
            File.Delete(map);
        }
        else
        {
            await using FileStream cut = new(map, FileMode.Open, FileAccess.Write);
            cut.SetLength(length);
        }

        byte[] zeros = new byte[1 << 20];
        PushResult result = await _lab.PushAsync(_lab.Source("a.img", zeros), with: r => r with { Base = BaseRequest.None });
        Assert.Contains("its map is gone or was cut off", result.Notice, StringComparison.Ordinal);
        Assert.True(result.Rounds[0].ZeroBlocks > 0, "what was staged was taken for zeros");
        _lab.AssertTarget(zeros);
    }

    [Fact]
    public async Task Starting_afresh_counts_the_fencing_numbers_on()
    {
        string image = _lab.Source("a.img", SampleImage.Noise(1, 1 << 20));
        await LeaveJournalAsync(image);
        ulong before = FenceOf(_lab.Target());
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            image, wire: new DelayingProxy(cutAfter: 700 * K), with: r => r with { Base = BaseRequest.None, Flags = OpenFlags.Fresh }));
        Assert.True(FenceOf(_lab.Target()) > before, $"{FenceOf(_lab.Target())} after {before}");
    }

    [Fact]
    public async Task A_journal_that_a_kill_left_beside_a_finished_image_is_not_believed_of_the_next_copy()
    {
        // The name was given, then the receiver was killed: journal and map are still there.
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        await LeaveJournalAsync(image);
        File.Move(_lab.Target("vm.img.partial"), _lab.Target());
        byte[] next = [.. content];
        next[500] ^= 1;
        await _lab.PushAsync(_lab.Source("a.img", next), with: r => r with { Base = BaseRequest.None });
        _lab.AssertTarget(next);
    }

    [Fact]
    public async Task A_staged_copy_is_not_taken_for_the_image_that_is_to_be_written_in_place()
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        await LeaveJournalAsync(image);
        byte[] standing = SampleImage.Noise(2, 1 << 20);
        await File.WriteAllBytesAsync(_lab.Target(), standing);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => _lab.PushAsync(image, with: r => r with { Flags = OpenFlags.InPlace }));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("--fresh", failure.Advice, StringComparison.Ordinal);
        _lab.AssertTarget(standing);

        await _lab.PushAsync(image, with: r => r with { Flags = OpenFlags.InPlace | OpenFlags.Fresh });
        _lab.AssertTarget(content);
        Assert.False(File.Exists(_lab.Target("vm.img.partial")));
    }

    [Fact]
    public async Task An_image_in_place_that_was_sealed_and_then_written_is_read_again_whatever_journal_is_left()
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        await File.WriteAllBytesAsync(_lab.Target(), new byte[1 << 20]);
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            image, wire: new DelayingProxy(cutAfter: 800 * K), with: r => r with { Flags = OpenFlags.InPlace }));
        byte[] journal = await File.ReadAllBytesAsync(_lab.Target("vm.img.partial.journal"));
        byte[] map = await File.ReadAllBytesAsync(_lab.Target("vm.img.partial.map"));
        await _lab.PushAsync(image, with: r => r with { Flags = OpenFlags.InPlace });
        _lab.AssertTarget(content);

        // As a kill between the seal and the removal of the journal leaves it; then a machine ran on the image.
        await File.WriteAllBytesAsync(_lab.Target("vm.img.partial.journal"), journal);
        await File.WriteAllBytesAsync(_lab.Target("vm.img.partial.map"), map);
        await using (FileStream guest = new(_lab.Target(), FileMode.Open, FileAccess.Write))
        {
            guest.Write(new byte[200 * K]);
        }

        await _lab.PushAsync(image, with: r => r with { Flags = OpenFlags.InPlace });
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task A_push_in_place_that_was_cut_is_gone_on_from()
    {
        byte[] content = SampleImage.Noise(1, 2 << 20);
        await File.WriteAllBytesAsync(_lab.Target(), SampleImage.Noise(2, 2 << 20));
        string image = _lab.Source("a.img", content);
        TransferRequest InPlace(TransferRequest r) => r with { Flags = OpenFlags.InPlace };
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(image, wire: new DelayingProxy(cutAfter: 1 << 20), with: InPlace));
        Assert.False(File.Exists(_lab.Target("vm.img.seal")));
        PushResult result = await _lab.PushAsync(image, with: InPlace);
        Assert.True(result.Resumed);
        Assert.True(result.Rounds[0].ChangedBytes < 3 << 19, "what had arrived was sent again");
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task What_somebody_else_wrote_in_place_between_two_runs_is_found_by_reading_back()
    {
        byte[] content = SampleImage.Noise(1, 2 << 20);
        byte[] standing = [.. content];
        SampleImage.Noise(2, 1 << 20).CopyTo(standing, 1 << 20);
        await File.WriteAllBytesAsync(_lab.Target(), standing);
        string image = _lab.Source("a.img", content);
        TransferRequest InPlace(TransferRequest r) => r with { Flags = OpenFlags.InPlace };
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(image, wire: new DelayingProxy(cutAfter: 400 * K), with: InPlace));

        // A block that the source has not changed, and that the first run has hashed and found equal.
        await using (FileStream other = new(_lab.Target(), FileMode.Open, FileAccess.Write))
        {
            other.Position = 192 * K;
            other.Write(new byte[4 * K]);
        }

        PushResult result = await _lab.PushAsync(image, with: InPlace);
        Assert.True(result.Resumed);
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task Resuming_with_another_granularity_or_length_hashes_what_is_staged()
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        await LeaveJournalAsync(image);
        PushResult result = await _lab.PushAsync(image, granularity: 4 * K);
        Assert.True(result.Resumed);
        Assert.True(result.Rounds[0].ChangedBytes < content.Length, "the staged copy was not used");
        _lab.AssertTarget(content);

        byte[] longer = [.. content, .. SampleImage.Noise(2, 100 * K)];
        File.Delete(_lab.Target());
        await LeaveJournalAsync(image);
        await _lab.PushAsync(_lab.Source("a.img", longer));
        _lab.AssertTarget(longer);
    }

    /// <summary>Any sequence of writes, pushes that are cut and pushes that are not ends with both sides identical.</summary>
    [Property(MaxTest = 25)]
    public bool Any_sequence_of_writes_cuts_and_retries_ends_identical(int[] steps, bool inPlace, bool fine)
    {
        using SessionLab lab = new();
        int granularity = fine ? 4 * K : 64 * K;
        byte[] content = SampleImage.Create(steps.Length, (300 * K) + 512);
        byte[] older = [.. content];
        if (inPlace)
        {
            File.WriteAllBytes(lab.Target(), SampleImage.Create(99, 200 * K));
        }

        foreach (int step in steps.Take(6))
        {
            Change(step, content, older);
            Push(new DelayingProxy(cutAfter: 1 + (((long)step & int.MaxValue) % (320 * K))));
        }

        Push(null);
        return File.ReadAllBytes(lab.Target()).AsSpan().SequenceEqual(content);

        void Push(DelayingProxy? wire)
        {
            try
            {
                lab.PushAsync(
                    lab.Source("a.img", content),
                    wire: wire,
                    granularity: granularity,
                    with: r => r with { Flags = inPlace ? OpenFlags.InPlace : OpenFlags.None }).GetAwaiter().GetResult();
            }
            catch (DiskSyncException failure) when (wire is not null && failure.Kind == FailureKind.Transport)
            {
                // As intended.
            }
        }
    }

    private static void Change(int step, byte[] content, byte[] older)
    {
        Random random = new(step);
        for (int i = 0; i < 5; i++)
        {
            int at = random.Next(content.Length);
            int count = random.Next(Math.Min(content.Length - at, 50 * K));
            Span<byte> part = content.AsSpan(at, count);
            switch (random.Next(3))
            {
                case 0:
                    random.NextBytes(part);
                    break;
                case 1:
                    part.Clear();
                    break;
                default:
                    // Back to what it was: a copy that compares with the base would miss it (safety rule 1).
                    older.AsSpan(at, count).CopyTo(part);
                    break;
            }
        }
    }

    private static ulong FenceOf(string image)
    {
        using FileStream journal = File.OpenRead(image + ".partial.journal");
        return TransferJournalReader.Read(journal).State!.Fence;
    }

    private async Task LeaveJournalAsync(string image)
    {
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(
            image, wire: new DelayingProxy(cutAfter: 700 * K), with: r => r with { Base = BaseRequest.None }));
        Assert.True(File.Exists(_lab.Target("vm.img.partial.journal")));
    }
}
