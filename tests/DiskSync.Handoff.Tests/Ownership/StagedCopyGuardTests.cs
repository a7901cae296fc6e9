using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Engine.Runs;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Ownership;

using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>What may be cleaned up, with real journals and names: never the only copy that counts.</summary>
public sealed class StagedCopyGuardTests : IDisposable
{
    private const string Name = "vm.img";
    private readonly TempFolder _temp = new();
    private readonly RealHost _a;
    private readonly RealHost _b;

    public StagedCopyGuardTests()
    {
        Directory.CreateDirectory(_temp.File("a"));
        Directory.CreateDirectory(_temp.File("b"));
        _a = new RealHost(_temp.File("a"), _temp.File("state-a"));
        _b = new RealHost(_temp.File("b"), _temp.File("state-b"));
        File.WriteAllText(_a.ImageOf(Name), "data 1");
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task An_image_that_was_renamed_and_not_ceded_is_this_hosts_and_stays()
    {
        using (SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", string.Empty))
        {
            await _a.Source.PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
            await new FileSourceImages().MakeUnusableAsync(_a.ImageOf(Name), attempt.Epoch);
        }

        AssertStays(_a, "state-a", "this host still owns the image");
    }

    [Fact]
    public async Task An_image_that_was_ceded_stays_until_the_destination_has_said_that_it_owns_it()
    {
        await MoveAsync(_a, _b, cutCommit: true);
        AssertStays(_a, "state-a", "has not said yet");
        AssertStays(_b, "state-b", "not resolved");
        Assert.True((await _a.Owner.ResolveAsync(_a.ImageOf(Name), new DirectLink(_b), default)).Resolved);

        StagedCopyGuard guard = new(_temp.File("state-a"));
        StagedCopy copy = Assert.Single(StagedCopies.Find(_a.Folder));
        Assert.Contains("handed over with epoch 2", guard.Describe(copy).State, StringComparison.Ordinal);
        guard.Remove(copy);
        Assert.Empty(Directory.GetFiles(_a.Folder));
    }

    [Fact]
    public async Task A_ceded_name_without_its_journal_stays()
    {
        await MoveAsync(_a, _b);
        File.Delete(_a.Journal.Path);
        AssertStays(_a, "state-a", "in doubt");
    }

    [Fact]
    public async Task Beside_an_image_that_is_owned_only_what_a_later_push_has_staged_may_go()
    {
        await MoveAsync(_a, _b);
        await MoveAsync(_b, _a);
        File.WriteAllText(_a.ImageOf(Name + ".partial"), "half");
        StagedCopyGuard guard = new(_temp.File("state-a"));
        IReadOnlyList<StagedCopy> copies = StagedCopies.Find(_a.Folder);
        Assert.Equal([StagedKind.Resumable], copies.Where(guard.MayGo).Select(c => c.Kind));
        Assert.Contains(copies.Select(c => guard.Describe(c).State), s => s.Contains("has come back", StringComparison.Ordinal));
        guard.Remove(copies.Single(guard.MayGo));
        Assert.Equal("data 1", File.ReadAllText(_a.ImageOf(Name)));
    }

    [Fact]
    public async Task Beside_an_image_that_is_owned_and_not_finished_everything_stays()
    {
        await MoveAsync(_a, _b, resume: "exit 7");
        File.WriteAllText(_b.ImageOf(Name + ".partial"), "half");
        AssertStays(_b, "state-b", "not resolved");
    }

    [Fact]
    public async Task What_was_refused_or_was_never_promised_may_go()
    {
        File.WriteAllText(_b.ImageOf("other.img.partial"), "half");
        using (SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", string.Empty))
        {
            File.Copy(_a.ImageOf(Name), _b.ImageOf(Name + ".partial"));
            await new DirectLink(_b).PrepareAsync(attempt.Id, attempt.Epoch, [(_a.ImageOf(Name), Blake3.Hash("data 1"u8))], string.Empty, false, default);
            AssertStays(_b, "state-b", "not resolved", Name);
            _b.Destination.Refuse(attempt.Id, "asked");
        }

        StagedCopyGuard guard = new(_temp.File("state-b"));
        foreach (StagedCopy copy in StagedCopies.Find(_b.Folder))
        {
            guard.Remove(copy);
        }

        Assert.Empty(Directory.GetFiles(_b.Folder));
    }

    [Fact]
    public async Task The_journal_is_read_again_before_anything_goes_and_a_hand_over_under_way_is_not_disturbed()
    {
        File.WriteAllText(_b.ImageOf(Name + ".partial"), "half");
        StagedCopyGuard early = new(_temp.File("state-b"));
        StagedCopy copy = Assert.Single(StagedCopies.Find(_b.Folder));
        Assert.True(early.MayGo(copy));
        using (new FileOwnershipLocks(_temp.File("state-b")).TryAcquire([_b.ImageOf(Name)]))
        {
            Assert.Equal(FailureKind.Preflight, Assert.Throws<DiskSyncException>(() => early.Remove(copy)).Kind);
        }

        await MoveAsync(_a, _b, cutCommit: true);
        Assert.Equal(FailureKind.OwnershipInDoubt, Assert.Throws<DiskSyncException>(() => early.Remove(copy)).Kind);
        Assert.Equal("data 1", File.ReadAllText(_b.ImageOf(Name + ".partial")));
    }

    private void AssertStays(RealHost host, string state, string words, string? name = null)
    {
        StagedCopyGuard guard = new(_temp.File(state));
        StagedCopy copy = Assert.Single(StagedCopies.Find(host.Folder), c => name is null || c.Image == host.ImageOf(name));
        Assert.False(guard.MayGo(copy));
        Assert.Contains(words, guard.Describe(copy).State, StringComparison.Ordinal);
        Assert.Equal(FailureKind.OwnershipInDoubt, Assert.Throws<DiskSyncException>(() => guard.Remove(copy)).Kind);
        Assert.True(File.Exists(copy.Files[0]));
    }

    private static async Task MoveAsync(RealHost from, RealHost to, string resume = "", bool cutCommit = false)
    {
        string image = from.ImageOf(Name);
        using SourceAttempt attempt = from.Source.Begin([image], "the other", string.Empty);
        await from.Source.PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
        File.Copy(image, to.ImageOf(Name + ".partial"), overwrite: true);
        Hash256 root = Blake3.Hash(await File.ReadAllBytesAsync(image));
        await from.Source.HandOverAsync(attempt, [root], resume, false, new CutLink(new DirectLink(to), cutCommit), () => { }, default);
    }
}
