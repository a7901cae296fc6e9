using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Targets.Seeds;

namespace DiskSync.Engine.Tests.Replication;

public sealed class SeedTests : IDisposable
{
    private const int Block = 64 << 10;
    private readonly SessionLab _lab = new();

    [Fact]
    public async Task What_another_image_holds_is_copied_there_instead_of_sent()
    {
        byte[] first = Random(64 * Block, 1);
        await _lab.PushAsync(_lab.Source("a.img", first), "a.img");

        // The same blocks at other places, in front of them and between them some that are nowhere.
        byte[] second = [.. Random(3 * Block, 2), .. first[(10 * Block)..(50 * Block)], .. Random(2 * Block, 3), .. first[..(7 * Block)]];
        PushResult result = await _lab.PushAsync(
            _lab.Source("b.img", second), "b.img", r => r with { Base = BaseRequest.None });
        _lab.AssertTarget(second, "b.img");
        Assert.Equal(47, result.Rounds[0].CopiedBlocks);
        Assert.InRange(result.BytesSent, 5 * Block, 6 * Block);
    }

    [Fact]
    public async Task Images_of_another_granularity_are_no_seeds()
    {
        byte[] content = Random(16 * Block, 1);
        await _lab.PushAsync(_lab.Source("a.img", content), "a.img", granularity: 128 << 10);
        PushResult result = await _lab.PushAsync(_lab.Source("b.img", content), "b.img", r => r with { Base = BaseRequest.None });
        _lab.AssertTarget(content, "b.img");
        Assert.Equal(0, result.Rounds[0].CopiedBlocks);
    }

    [Fact]
    public async Task An_image_that_was_written_since_it_was_sealed_is_no_seed()
    {
        byte[] content = Random(16 * Block, 1);
        await _lab.PushAsync(_lab.Source("a.img", content), "a.img");
        await using (FileStream file = File.OpenWrite(_lab.Target("a.img")))
        {
            file.Write([1, 2, 3]);
        }

        PushResult result = await _lab.PushAsync(_lab.Source("b.img", content), "b.img", r => r with { Base = BaseRequest.None });
        _lab.AssertTarget(content, "b.img");
        Assert.Equal(0, result.Rounds[0].CopiedBlocks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Seeds_that_turn_out_to_be_something_else_are_sent_after_all(bool canBeRead)
    {
        LyingSeeds? seeds = null;
        using SessionLab lab = new(provider: p => seeds = new LyingSeeds(p, canBeRead));
        byte[] content = Random((40 * Block) + 123, 1);
        PushResult result = await lab.PushAsync(lab.Source("a.img", content), with: r => r with { Base = BaseRequest.None });
        lab.AssertTarget(content);
        Assert.True(result.BytesSent > content.Length, "everything had to be sent");
        Assert.True(seeds!.Questions > 0, "it was never asked");
    }

    [Fact]
    public async Task A_destination_that_lists_no_sealed_image_is_not_asked_for_contents()
    {
        LyingSeeds? seeds = null;
        using SessionLab lab = new(provider: p => seeds = new LyingSeeds(p, canBeRead: false));
        await File.WriteAllBytesAsync(lab.Target("unsealed.img"), Random(Block, 3));
        await lab.PushAsync(lab.Source("a.img", Random(8 * Block, 1)), "a.img");
        Assert.Equal(0, seeds!.Questions);

        // Now there is one, and what lies past its end can only come from elsewhere.
        await lab.PushAsync(lab.Source("b.img", Random(16 * Block, 2)), "b.img");
        Assert.True(seeds.Questions > 0, "it was never asked");
    }

    [Fact]
    public void An_index_that_is_too_small_takes_a_part_of_the_blocks_and_stays_in_its_bounds()
    {
        SeedIndex index = new(100_000, maxSlots: 1024);
        for (int i = 0; i < 100_000; i++)
        {
            index.Add(HashOf(i), new SeedPlace(i % SeedIndex.MaxImages, i));
        }

        Assert.InRange(index.Count, 300, 1024);
        int found = Enumerable.Range(0, 100_000).Count(i => index.Candidates(HashOf(i)).Contains(new SeedPlace(i % SeedIndex.MaxImages, i)));
        Assert.Equal(index.Count, found);
    }

    [Fact]
    public void An_index_finds_all_that_it_has_room_for()
    {
        SeedIndex index = new(5000);
        for (int i = 0; i < 5000; i++)
        {
            index.Add(HashOf(i), new SeedPlace(254, uint.MaxValue - i));
        }

        Assert.Equal(5000, index.Count);
        Assert.All(
            Enumerable.Range(0, 5000),
            i => Assert.Contains(new SeedPlace(254, uint.MaxValue - i), index.Candidates(HashOf(i))));
        Assert.DoesNotContain(new SeedPlace(254, 1), index.Candidates(HashOf(5001)));
    }

    public void Dispose() => _lab.Dispose();

    private static Hash256 HashOf(int number) => Blake3.Hash(BitConverter.GetBytes(number));

    private static byte[] Random(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
