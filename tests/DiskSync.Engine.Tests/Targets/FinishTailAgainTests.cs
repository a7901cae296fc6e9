using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Tail;
using DiskSync.Formats.Seal;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Targets;

/// <summary>The names of an image of which parts are still at its source, whatever a kill has left of them.</summary>
public sealed class FinishTailAgainTests : IDisposable
{
    private const int Length = (1 << 20) + 512;
    private const long MissingBlocks = 3;
    private static readonly byte[] Content = SampleImage.Noise(1, Length);
    private static readonly string[] Finished = ["a.img.incomplete-2", "a.img.presence", "a.img.tail"];
    private readonly PreparedCopy _copy = new();

    public void Dispose() => _copy.Dispose();

    [Fact]
    public void What_was_prepared_gets_a_name_that_nobody_starts_by_habit_and_doing_it_again_changes_nothing()
    {
        SealRequest seal = _copy.PrepareTail("a.img", Content, 2, MissingBlocks);
        Finish(seal);
        Assert.Equal(Finished, Names());
        Finish(seal);
        Assert.Equal(Finished, Names());
        Assert.Equal(Content, File.ReadAllBytes(_copy.PathOf("a.img.incomplete-2")));
        using TailFiles files = TailFiles.Of(_copy.PathOf("a.img"));
        Assert.Equal(MissingBlocks << 16, files.MissingBytes());
        Assert.False(files.IsWhole(2));
        Assert.Equal(seal.Attempt, files.RequireSeal(2).Attempt);
        Assert.Throws<DiskSyncException>(() => files.RequireSeal(3));
        using PresenceMap map = files.OpenMap(Length, 2);
        Assert.Equal(2 * 16, map.Next(0, 1000, present: false));
        Assert.Equal(5 * 16, map.Next(2 * 16, 1000, present: true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_kill_between_any_two_names_is_made_good(int moved)
    {
        SealRequest seal = _copy.PrepareTail("a.img", Content, 2, MissingBlocks);
        File.Delete(_copy.PathOf("a.img.map")); // What belongs to the name went before.
        (string From, string To)[] names =
        [
            ("a.img.partial.presence", "a.img.presence"), ("a.img.partial", "a.img.incomplete-2"), ("a.img.partial.tail", "a.img.tail"),
        ];
        foreach ((string from, string to) in names[..moved])
        {
            File.Move(_copy.PathOf(from), _copy.PathOf(to));
        }

        Finish(seal);
        Assert.Equal(Finished, Names());
        Assert.Equal(Content, File.ReadAllBytes(_copy.PathOf("a.img.incomplete-2")));
    }

    [Fact]
    public void What_stood_under_the_name_goes_as_it_would_for_a_copy_that_is_whole()
    {
        File.WriteAllBytes(_copy.PathOf("a.img.seal"), [1]);
        SealRequest seal = _copy.PrepareTail("a.img", Content, 2, MissingBlocks);
        File.WriteAllBytes(_copy.PathOf("a.img"), SampleImage.Noise(2, Length));
        Finish(seal);
        Assert.Equal(Finished, Names());
    }

    [Fact]
    public void A_copy_that_another_receiver_has_written_since_gets_no_name()
    {
        SealRequest seal = _copy.PrepareTail("a.img", Content, 2, MissingBlocks);
        _copy.Overwrite("a.img", SampleImage.Noise(2, Length), blocks: 3);
        AssertLost(seal);
    }

    [Fact]
    public void A_copy_of_another_attempt_gets_no_name() =>
        AssertLost(_copy.PrepareTail("a.img", Content, 2, MissingBlocks) with { Attempt = Guid.NewGuid() });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_that_is_whole_gets_its_name_and_a_seal_that_fits_nothing_though_a_kill_came_between(bool hasName)
    {
        Finish(_copy.PrepareTail("a.img", Content, 0, 0));
        if (hasName)
        {
            File.Move(_copy.PathOf("a.img.incomplete-2"), _copy.PathOf("a.img"));
        }

        using TailFiles files = TailFiles.Of(_copy.PathOf("a.img"));
        Assert.True(files.IsWhole(2));
        Assert.False(files.IsWhole(3));
        Assert.Equal(Hash256.Unknown, files.GiveName(2));
        Assert.Equal(Hash256.Unknown, files.GiveName(2));
        SealRecord seal = SealCodec.Decode(File.ReadAllBytes(_copy.PathOf("a.img.seal")));
        Assert.Equal((2ul, default(FileStamp), Hash256.Unknown), (seal.Epoch, seal.Stamp, seal.Root));
        files.Forget();
        Assert.Equal(["a.img", "a.img.seal"], Names());

        // The record says OWNER then: what has its seal is finished.
        _copy.Provider.FinishAgain(_copy.Provider.IdentityOf("a.img"), new SealRequest(2, Hash256.Unknown, seal.Attempt));
        Assert.Equal(["a.img", "a.img.seal"], Names());
    }

    [Fact]
    public void Two_files_that_could_be_the_image_are_left_to_the_operator()
    {
        Finish(_copy.PrepareTail("a.img", Content, 0, 0));
        File.WriteAllBytes(_copy.PathOf("a.img"), [1]);
        using TailFiles files = TailFiles.Of(_copy.PathOf("a.img"));
        Assert.Equal(FailureKind.OwnershipInDoubt, Assert.Throws<DiskSyncException>(() => files.GiveName(2)).Kind);
        Assert.Equal([1], File.ReadAllBytes(_copy.PathOf("a.img")));
    }

    [Fact]
    public void A_later_copy_that_is_whole_leaves_nothing_of_a_tail_beside_it()
    {
        Finish(_copy.PrepareTail("a.img", Content, 2, MissingBlocks));
        File.Move(_copy.PathOf("a.img.incomplete-2"), _copy.PathOf("a.img.ceded-3"));
        SealRequest whole = _copy.Prepare("a.img", Content);
        _copy.Provider.FinishAgain(_copy.Provider.IdentityOf("a.img"), whole);
        Assert.Equal(["a.img", "a.img.ceded-3", "a.img.map", "a.img.seal"], Names());
    }

    [Fact]
    public void What_is_written_in_place_has_no_tail()
    {
        File.WriteAllBytes(_copy.PathOf("a.img"), Content);
        DiskSyncException e = Assert.Throws<DiskSyncException>(() => _copy.PrepareTail("a.img", Content, 2, MissingBlocks, OpenFlags.InPlace));
        Assert.Equal(FailureKind.Preflight, e.Kind);
    }

    private string[] Names() => [.. Directory.GetFiles(_copy.Root).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private void Finish(SealRequest seal) => _copy.Provider.FinishAgain(_copy.Provider.IdentityOf("a.img"), seal);

    private void AssertLost(SealRequest seal)
    {
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => Finish(seal));
        Assert.Equal(FailureKind.OwnershipInDoubt, failure.Kind);
        Assert.False(File.Exists(_copy.PathOf("a.img.incomplete-2")));
        Assert.False(File.Exists(_copy.PathOf("a.img.tail")));
    }
}
