using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;
using DiskSync.TestSupport.PowerCuts;

namespace DiskSync.Engine.Tests.Journal;

public sealed class TargetStoreTests : IDisposable
{
    private static readonly BlockGeometry Geometry = new((256L * 4096 * 40) - 1000, 4096);

    private readonly SimulatedMedium _medium = new(3);
    private readonly SimulatedImage _image;
    private readonly SimulatedFile _map;
    private readonly SimulatedJournalPlace _place;
    private TargetStore _store;

    public TargetStoreTests()
    {
        _image = _medium.CreateImage("image", Geometry.Length);
        _map = _medium.CreateStateFile("map");
        _place = new SimulatedJournalPlace(_medium);
        TransferJournal.Create(_place, Geometry, unstoredIsZero: true, proven: true, fence: 0).Dispose();
        _store = Open();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_new_store_knows_that_it_is_zeros_and_has_not_read_them_back()
    {
        Assert.Equal(Geometry.BlockCount, _store.Map.KnownCount);
        Assert.Equal(Geometry.BlockCount, _store.UnreadBlocks);
        Assert.Equal(0, _store.HashUnknown((_, _) => { }, CancellationToken.None));
        Assert.Empty(_store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
        Assert.Equal(0, _store.UnreadBlocks);
    }

    [Fact]
    public void What_was_written_and_not_checkpointed_is_hashed_again_after_a_stop()
    {
        // Further apart than claims are withdrawn ahead.
        Write(5, 1);
        Write(7000, 2);
        _store.Checkpoint();
        Write(5, 3);
        _medium.PowerCut();
        _store = Open();
        Assert.True(_store.Map.Get(5).IsUnknown);
        Assert.Equal(Blake3.Hash(Content(7000, 2)), _store.Map.Get(7000));
        _store.HashUnknown((_, _) => { }, CancellationToken.None);
        Assert.Equal(_store.Map.KnownCount, Geometry.BlockCount);
        byte[] held = new byte[4096];
        _store.Read(5, held);
        Assert.Equal(Blake3.Hash(held), _store.Map.Get(5));
    }

    [Fact]
    public void The_last_short_block_is_written_zeroed_and_hashed_at_its_true_length()
    {
        long last = Geometry.BlockCount - 1;
        Write(last, 4);
        _store.ZeroRun(last - 3, 4);
        Assert.Equal(ZeroBlock.HashOf(3096), _store.Map.Get(last));
        Write(last, 5);
        _store.Checkpoint();
        _medium.PowerCut();
        _store = Open();
        Assert.Equal(Blake3.Hash(Content(last, 5)), _store.Map.Get(last));
        Assert.Empty(_store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
    }

    [Fact]
    public void Reading_back_finds_what_the_medium_changed_and_says_what_it_holds()
    {
        Write(700, 6);
        Write(701, 7);
        _store.Checkpoint();
        byte[] rotten = Content(701, 7);
        rotten[17] ^= 1;
        _image.Durable.Write(701 * 4096, rotten);
        ReadBackResult result = _store.ReadBack((_, _) => { }, CancellationToken.None);
        Assert.Equal([701L], result.Wrong);
        Assert.Equal(Blake3.Hash(rotten), _store.Map.Get(701));
        _medium.PowerCut();
        _store = Open();
        Assert.Equal(0, _store.UnreadBlocks);
        Assert.Equal(Blake3.Hash(rotten), _store.Map.Get(701));
    }

    [Fact]
    public void Of_a_block_that_changed_in_part_only_that_is_written()
    {
        BlockGeometry geometry = new((4 * 65536) - 1000, 65536);
        RecordingImage image = new(geometry.Length);
        using TargetStore store = new(
            image, new PagedMap(geometry, new InMemoryStateFile(), defaultIsZero: true), new ForgetfulJournal(), [], [], mapIsCurrent: false);
        byte[] content = new byte[65536];
        content.AsSpan(0, 4096).Fill(1);
        content.AsSpan(3 * 4096, 3 * 4096).Fill(2);
        store.WriteChanged(1, content, Blake3.Hash(content), [0b0011_1001, 0]);
        Assert.Equal([(65536, 4096), (65536 + (3 * 4096), 3 * 4096)], image.Writes);
        Assert.Equal(Blake3.Hash(content), store.Map.Get(1));

        // The image's short last sub-block.
        image.Writes.Clear();
        byte[] last = new byte[64536];
        last[^1] = 3;
        store.WriteChanged(3, last, Blake3.Hash(last), [0, 0b1000_0000]);
        Assert.Equal([((3 * 65536) + (15 * 4096), 4096 - 1000)], image.Writes);
        Assert.Empty(store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
    }

    [Fact]
    public void A_fenced_store_writes_nothing_more()
    {
        _store.Fence();
        long before = _medium.Operations;
        Assert.Throws<DiskSyncException>(() => Write(1, 1));
        Assert.Throws<DiskSyncException>(() => _store.ZeroRun(1, 1));
        Assert.Throws<DiskSyncException>(_store.Checkpoint);
        Assert.Equal(before, _medium.Operations);
    }

    [Fact]
    public void A_write_that_failed_half_way_is_never_claimed()
    {
        Write(9, 1);
        _store.Checkpoint();
        Write(9, 2);
        _medium.FailAfter(0);
        Assert.Throws<ImageIOException>(() => Write(10, 3));
        DiskSyncException after = Assert.Throws<DiskSyncException>(_store.Checkpoint);
        Assert.Contains("an earlier write or flush failed", after.Message, StringComparison.Ordinal);
        Assert.Throws<DiskSyncException>(() => Write(11, 3));

        _store = Open();
        _store.HashUnknown((_, _) => { }, CancellationToken.None);
        byte[] held = new byte[4096];
        _store.Read(10, held);
        Assert.Equal(Blake3.Hash(held), _store.Map.Get(10));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void A_checkpoint_that_failed_is_final(int operation)
    {
        Write(9, 1);
        _medium.FailAfter(operation);
        if (Record.Exception(_store.Checkpoint) is null)
        {
            // There are fewer operations than that.
            Assert.Equal(6, operation);
            return;
        }

        Assert.Throws<DiskSyncException>(() => Write(9, 2));
        Assert.Throws<DiskSyncException>(_store.Checkpoint);
        Assert.Throws<DiskSyncException>(() => _store.ReadBack((_, _) => { }, CancellationToken.None));
    }

    [Fact]
    public void Writers_that_move_on_wait_for_a_withdrawal_only_now_and_then()
    {
        long before = _medium.Operations;
        for (int page = 0; page < 16; page++)
        {
            Write(page * 256, 1);
        }

        // 16 writes, and one withdrawal of 16 pages: record, flush, slot, flush.
        Assert.Equal(before + 20, _medium.Operations);
        for (int page = 16; page < 40; page++)
        {
            Write(page * 256, 1);
        }

        // The next one is of 32.
        Assert.Equal(before + 48, _medium.Operations);
    }

    [Fact]
    public void What_was_withdrawn_for_a_writer_that_did_not_come_is_claimed_again()
    {
        for (int page = 0; page < 17; page++)
        {
            Write(page * 256, 1);
        }

        _store.Checkpoint();
        _medium.PowerCut();
        _store = Open();
        Assert.Equal(Geometry.BlockCount, _store.Map.KnownCount);
    }

    [Fact]
    public void Scattered_writes_withdraw_no_more_than_a_few_pages_each()
    {
        Write(0, 1);
        Write(39 * 256, 1);
        _medium.PowerCut();
        _store = Open();
        Assert.Equal(Blake3.Hash(new byte[4096]), _store.Map.Get(20 * 256));
        Assert.True(_store.Map.Get(39 * 256).IsUnknown);
    }

    [Fact]
    public void Cancelling_a_read_back_keeps_what_was_read_and_goes_on_later()
    {
        for (int block = 0; block < 2000; block++)
        {
            Write(block, block);
        }

        using CancellationTokenSource stop = new();
        Assert.Throws<OperationCanceledException>(() => _store.ReadBack((_, _) => stop.Cancel(), stop.Token));
        long left = _store.UnreadBlocks;
        Assert.InRange(left, 1, Geometry.BlockCount - 1);
        Assert.Empty(_store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
        Assert.Equal(0, _store.UnreadBlocks);
    }

    [Fact]
    public void What_a_checkpoint_has_made_durable_is_read_back_early_and_only_the_rest_at_the_end()
    {
        _store.ReadBack((_, _) => { }, CancellationToken.None);
        Write(5, 1);
        Write(6, 2);
        _store.ZeroRun(7, 3);
        Assert.False(_store.ReadBackEarly());
        _store.Checkpoint();
        Write(700, 3);
        Assert.True(_store.ReadBackEarly());
        Assert.False(_store.ReadBackEarly());

        // The zeros, and what was written since.
        Assert.Equal(4, _store.UnreadBlocks);
        ReadBackResult rest = _store.ReadBack((_, _) => { }, CancellationToken.None);
        Assert.Equal(3 * 4096, rest.BytesRead);
        Assert.Empty(rest.Wrong);
        _medium.PowerCut();
        _store = Open();
        Assert.Equal(0, _store.UnreadBlocks);
    }

    [Fact]
    public void A_checkpoint_claims_what_was_read_back_early()
    {
        _store.ReadBack((_, _) => { }, CancellationToken.None);
        Write(5, 1);
        _store.Checkpoint();
        _store.ReadBackEarly();
        _store.Checkpoint();
        _medium.PowerCut();
        _store = Open();
        Assert.Equal(0, _store.UnreadBlocks);
        Assert.Equal(Blake3.Hash(Content(5, 1)), _store.Map.Get(5));
    }

    [Fact]
    public void Reading_back_early_proves_nothing_that_is_wrong_and_leaves_it_to_the_end()
    {
        _store.ReadBack((_, _) => { }, CancellationToken.None);
        Write(700, 6);
        Write(701, 7);
        _store.Checkpoint();
        byte[] rotten = Content(701, 7);
        rotten[17] ^= 1;
        _image.Durable.Write(701 * 4096, rotten);
        Assert.True(_store.ReadBackEarly());
        Assert.Equal(1, _store.UnreadBlocks);
        Assert.Equal(Blake3.Hash(Content(701, 7)), _store.Map.Get(701));
        Assert.Equal([701L], _store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
    }

    [Fact]
    public void What_is_written_while_it_is_read_back_early_is_not_taken_for_read()
    {
        _store.ReadBack((_, _) => { }, CancellationToken.None);
        Write(5, 1);
        Write(6, 1);
        _store.Checkpoint();

        // The same content once more, so that its hash is as expected; but the medium may not have it this time.
        _image.WhenReadPastCache = () => Write(6, 1);
        Assert.True(_store.ReadBackEarly());
        _image.WhenReadPastCache = null;
        Assert.Equal(2, _store.UnreadBlocks);
        Assert.False(_store.ReadBackEarly());
        _store.Checkpoint();
        Assert.True(_store.ReadBackEarly());
        Assert.Equal(1, _store.UnreadBlocks);
        Assert.Empty(_store.ReadBack((_, _) => { }, CancellationToken.None).Wrong);
    }

    [Fact]
    public void A_checkpoint_during_which_a_block_is_written_does_not_let_it_be_read_back_early()
    {
        _store.ReadBack((_, _) => { }, CancellationToken.None);
        Write(5, 1);
        Write(6, 1);
        _image.WhenFlushed = () => Write(6, 2);
        _store.Checkpoint();
        _image.WhenFlushed = null;
        Assert.True(_store.ReadBackEarly());
        Assert.False(_store.ReadBackEarly());
        Assert.Equal(1, _store.UnreadBlocks);
        _store.Checkpoint();
        Assert.True(_store.ReadBackEarly());
        Assert.Equal(0, _store.UnreadBlocks);
    }

    [Fact]
    public void Where_a_read_past_the_cache_fails_the_end_reads_everything()
    {
        _store.ReadBack((_, _) => { }, CancellationToken.None);
        Write(5, 1);
        _store.Checkpoint();
        _medium.FailAfter(0);
        Assert.True(_store.ReadBackEarly());
        Assert.Equal(1, _store.UnreadBlocks);
        Assert.Equal(4096, _store.ReadBack((_, _) => { }, CancellationToken.None).BytesRead);
    }

    [Fact]
    public void A_store_that_is_fenced_or_closed_reads_nothing_back_early()
    {
        Write(5, 1);
        _store.Checkpoint();
        _store.Fence();
        Assert.False(_store.ReadBackEarly());
        _store.Dispose();
        Assert.False(_store.ReadBackEarly());
    }

    private static byte[] Content(long block, int seed)
    {
        byte[] content = new byte[Geometry.LengthOf(block)];
        new Random(seed + 1000).NextBytes(content);
        return content;
    }

    private void Write(long block, int seed)
    {
        byte[] content = Content(block, seed);
        _store.Write(block, content, [Blake3.Hash(content)]);
    }

    private TargetStore Open()
    {
        TransferJournal journal = TransferJournal.Open(_place, out _)!;
        journal.BeginSession(Guid.NewGuid());
        PagedMap map = new(Geometry, _map.Open(), journal.Header.UnstoredIsZero);
        return new TargetStore(
            _image.Open(), map, journal, journal.WithdrawnPages(), journal.UnreadPages(), mapIsCurrent: false);
    }
}
