using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Journal;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tests.Journal;

/// <summary>A medium that stores something else than it was given: only what was read back from it proves anything.</summary>
public class LyingMediumTests
{
    private const int Granularity = 4096;
    private static readonly BlockGeometry Geometry = new(8 * Granularity, Granularity);

    [Fact]
    public void A_block_that_the_medium_stored_wrong_is_found_by_reading_back_and_heals_when_sent_again()
    {
        LyingImage image = new(Geometry.Length, (3 * Granularity) + 17);
        using TargetStore store = Open(image, []);
        for (long block = 0; block < Geometry.BlockCount; block++)
        {
            Write(store, block);
        }

        ReadBackResult first = ReadBack(store);
        Assert.Equal([3L], first.Wrong);
        Assert.Equal(Blake3.Hash(image.Medium.Slice(3 * Granularity, Granularity)), store.Map.Get(3));

        image.Lies = false;
        Write(store, 3);
        ReadBackResult second = ReadBack(store);
        Assert.Empty(second.Wrong);
        Assert.Equal(Granularity, second.BytesRead);
        Assert.Equal(Blake3.Hash(Content(3)), store.Map.Get(3));
    }

    [Fact]
    public void What_an_earlier_run_left_in_the_cache_is_flushed_before_it_is_hashed_and_counts_as_read_back()
    {
        // A killed receiver: its writes are in the cache only. Hashing them there would prove what the medium never had.
        LyingImage image = new(Geometry.Length, (5 * Granularity) + 1);
        for (long block = 0; block < Geometry.BlockCount; block++)
        {
            image.Write(block * Granularity, Content(block));
        }

        using TargetStore store = Open(image, [new PageClaim(0, 1, false)]);
        store.HashUnknown((_, _) => { }, CancellationToken.None);
        Assert.Equal(Blake3.Hash(Content(4)), store.Map.Get(4));
        Assert.Equal(Blake3.Hash(image.Medium.Slice(5 * Granularity, Granularity)), store.Map.Get(5));
        Assert.NotEqual(Blake3.Hash(Content(5)), store.Map.Get(5));
    }

    private static TargetStore Open(LyingImage image, PageClaim[] withdrawn) => new(
        image,
        new PagedMap(Geometry, new InMemoryStateFile(), defaultIsZero: withdrawn.Length == 0),
        new ForgetfulJournal(),
        withdrawn,
        unread: [],
        mapIsCurrent: false);

    private static ReadBackResult ReadBack(TargetStore store) => store.ReadBack((_, _) => { }, CancellationToken.None);

    private static void Write(TargetStore store, long block)
    {
        byte[] content = Content(block);
        store.Write(block, content, [Blake3.Hash(content)]);
    }

    private static byte[] Content(long block)
    {
        byte[] content = new byte[Granularity];
        new Random((int)block).NextBytes(content);
        return content;
    }
}
