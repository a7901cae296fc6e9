using DiskSync.Codecs;
using DiskSync.Engine;
using DiskSync.Formats.Wire.Messages;
using DiskSync.Handoff.Hypervisors;
using DiskSync.Handoff.Migration;
using DiskSync.Handoff.Ownership;
using DiskSync.TestSupport;

namespace DiskSync.Handoff.Tests.Ownership;

/// <summary>The state machines over the real journal, real names and real hooks.</summary>
public sealed class RealFilesTests : IDisposable
{
    private const string Name = "vm.img";
    private readonly TempFolder _temp = new();
    private readonly RealHost _a;
    private readonly RealHost _b;

    public RealFilesTests()
    {
        Directory.CreateDirectory(_temp.File("a"));
        Directory.CreateDirectory(_temp.File("b"));
        _a = new RealHost(_temp.File("a"), _temp.File("state-a"));
        _b = new RealHost(_temp.File("b"), _temp.File("state-b"));
        File.WriteAllText(_a.ImageOf(Name), "data 1");
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task An_image_goes_there_and_back_again_and_each_time_the_epoch_grows()
    {
        Assert.Equal(2ul, (await Move(_a, _b)).Epoch);
        Assert.False(File.Exists(_a.ImageOf(Name)));
        Assert.Equal("data 1", await File.ReadAllTextAsync(_a.ImageOf(Name + ".ceded-2")));
        Assert.Equal("data 1", await File.ReadAllTextAsync(_b.ImageOf(Name)));

        await File.WriteAllTextAsync(_b.ImageOf(Name), "data 2");
        Assert.Equal(3ul, (await Move(_b, _a)).Epoch);
        Assert.Equal("data 2", await File.ReadAllTextAsync(_a.ImageOf(Name)));

        Assert.Equal(4ul, (await Move(_a, _b)).Epoch);
        Assert.True(_b.Owner.Report(_b.ImageOf(Name)).MayRunHere);
        Assert.False(_a.Owner.Report(_a.ImageOf(Name)).MayRunHere);
    }

    [Fact]
    public async Task Both_parts_in_one_state_folder_keep_their_images_apart()
    {
        RealHost a = new(_temp.File("a"), _temp.File("state"));
        RealHost b = new(_temp.File("b"), _temp.File("state"));

        HandOverResult result = await Move(a, b);

        Assert.Equal(HandOverState.Done, result.State);
        Assert.Equal(OwnershipVerdict.Elsewhere, a.Owner.Report(a.ImageOf(Name)).Verdict);
        Assert.Equal(OwnershipVerdict.Owner, b.Owner.Report(b.ImageOf(Name)).Verdict);
        Assert.Equal(3ul, (await Move(b, a)).Epoch);
    }

    [Fact]
    public async Task A_failing_pause_command_is_unpaused_and_nothing_is_handed_over()
    {
        string log = _temp.File("log");
        using (SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", $"echo unpaused $DISKSYNC_EPOCH >> {log}"))
        {
            DiskSyncException e = await Assert.ThrowsAsync<DiskSyncException>(
                () => _a.Source.PauseAsync(attempt, RealHost.Machine($"echo paused $DISKSYNC_EPOCH >> {log}; exit 3"), CancellationToken.None));
            Assert.Equal(FailureKind.Source, e.Kind);
            Assert.Contains("exit code 3", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(["paused 2", "unpaused 1"], await File.ReadAllLinesAsync(log));
        Assert.Equal(AttemptState.Running, _a.Journal.Read().Last(_a.ImageOf(Name))!.Kind);
    }

    [Fact]
    public async Task A_migrate_that_was_killed_after_the_pause_is_called_off_by_owner_with_the_recorded_command()
    {
        string log = _temp.File("log");
        using (SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", $"echo unpaused >> {log}"))
        {
            await _a.Source.PauseAsync(attempt, RealHost.Machine($"echo paused >> {log}"), CancellationToken.None);
            Assert.Equal(
                FailureKind.Preflight,
                (await Assert.ThrowsAsync<DiskSyncException>(() => _a.Owner.ResolveAsync(_a.ImageOf(Name), null, default))).Kind);
        }

        OwnerResult result = await _a.Owner.ResolveAsync(_a.ImageOf(Name), null, default);

        Assert.True(result.Resolved);
        Assert.True(result.Report.MayRunHere);
        Assert.Equal(["paused", "unpaused"], await File.ReadAllLinesAsync(log));
    }

    [Fact]
    public async Task An_unpause_command_that_fails_is_owed_until_it_succeeds()
    {
        using (SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", $"test -e {_temp.File("ready")}"))
        {
            await _a.Source.PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
            Assert.Equal(HandOverState.SourceOwnsButPaused, (await _a.Source.CallOffAsync(attempt, null)).State);
        }

        Assert.Equal(OwnershipVerdict.OwnerUnfinished, _a.Owner.Report(_a.ImageOf(Name)).Verdict);
        Assert.Throws<DiskSyncException>(() => _a.Source.Begin([_a.ImageOf(Name)], "b", string.Empty));
        await File.WriteAllTextAsync(_temp.File("ready"), string.Empty);
        Assert.True((await _a.Owner.ResolveAsync(_a.ImageOf(Name), null, default)).Resolved);
    }

    [Fact]
    public async Task A_resume_command_that_fails_leaves_the_destination_owner_and_owner_return_hands_back()
    {
        HandOverResult result = await Move(_a, _b, resume: "echo no such domain; exit 7");
        Assert.Equal(HandOverState.Done, result.State);
        Assert.Equal(new ResumeReport(false, 7, "no such domain\n"), result.Resume);

        await _b.Owner.ReturnAsync(_b.ImageOf(Name), null, false, default);
        Assert.True(File.Exists(_b.ImageOf(Name + ".ceded-3")));
        OwnerResult back = await _a.Owner.ResolveAsync(_a.ImageOf(Name), new DirectLink(_b), default);

        Assert.True(back.Report.MayRunHere);
        Assert.Equal(3ul, back.Report.Epoch);
        Assert.Equal("data 1", await File.ReadAllTextAsync(_a.ImageOf(Name)));
        Assert.Equal(4ul, (await Move(_a, _b)).Epoch);
    }

    [Fact]
    public async Task A_destination_whose_guest_wrote_does_not_hand_back_the_older_copy()
    {
        await Move(_a, _b, resume: $"echo more >> {_temp.File("b")}/{Name}; exit 1");

        DiskSyncException e = await Assert.ThrowsAsync<DiskSyncException>(() => _b.Owner.ReturnAsync(_b.ImageOf(Name), null, false, default));
        Assert.Equal(FailureKind.Preflight, e.Kind);
        Assert.Contains("Migrate it back", e.Advice, StringComparison.Ordinal);
        Assert.Equal(OwnershipVerdict.OwnerUnfinished, _b.Owner.Report(_b.ImageOf(Name)).Verdict);
    }

    [Theory]
    [InlineData("ceded")]
    [InlineData("seal")]
    public async Task A_lost_journal_beside_what_remembers_an_epoch_may_not_write(string witness)
    {
        await Move(_a, _b);
        RealHost host = witness == "seal" ? _b : _a;
        if (host == _a)
        {
            File.Copy(_a.ImageOf(Name + ".ceded-2"), _a.ImageOf(Name));
        }

        File.Delete(host.Journal.Path);

        OwnerReport report = host.Owner.Report(host.ImageOf(Name));
        Assert.Equal(OwnershipVerdict.InDoubt, report.Verdict);
        Assert.Contains("lost or restored", report.Doubt, StringComparison.Ordinal);
        Assert.Equal(
            FailureKind.OwnershipInDoubt,
            Assert.Throws<DiskSyncException>(() => host.Source.Begin([host.ImageOf(Name)], "c", string.Empty)).Kind);
    }

    [Fact]
    public async Task A_journal_restored_from_before_the_hand_over_may_not_write()
    {
        using (_a.Source.Begin([_a.ImageOf(Name)], "b", string.Empty))
        {
        }

        byte[] backup = await File.ReadAllBytesAsync(_a.Journal.Path);
        await Move(_a, _b);
        await File.WriteAllBytesAsync(_a.Journal.Path, backup);
        File.Copy(_a.ImageOf(Name + ".ceded-2"), _a.ImageOf(Name));

        Assert.Equal(OwnershipVerdict.InDoubt, _a.Owner.Report(_a.ImageOf(Name)).Verdict);
    }

    [Fact]
    public async Task A_destinations_journal_restored_to_prepared_refuses_nothing_that_may_be_owned()
    {
        byte[] backup = [];
        Guid id = default;
        using (SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", string.Empty))
        {
            id = attempt.Id;
            await _a.Source.PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
            File.Copy(_a.ImageOf(Name), _b.ImageOf(Name + ".partial"));
            Hash256 root = Blake3.Hash(await File.ReadAllBytesAsync(_a.ImageOf(Name)));
            await new DirectLink(_b).PrepareAsync(id, attempt.Epoch, [(_a.ImageOf(Name), root)], string.Empty, false, default);
            backup = await File.ReadAllBytesAsync(_b.Journal.Path);
            await _a.Source.HandOverAsync(attempt, [root], string.Empty, false, new DirectLink(_b), () => { }, default);
        }

        await File.WriteAllBytesAsync(_b.Journal.Path, backup);

        Assert.Equal(FailureKind.OwnershipInDoubt, Assert.Throws<DiskSyncException>(() => _b.Destination.Refuse(id, "asked")).Kind);
        Assert.Equal(OwnershipVerdict.InDoubt, _b.Owner.Report(_b.ImageOf(Name)).Verdict);
    }

    [Fact]
    public async Task A_destination_that_does_not_know_the_attempt_leaves_the_source_in_doubt()
    {
        await Move(_a, _b, cutCommit: true);
        File.Delete(_b.Journal.Path);

        OwnerResult result = await _a.Owner.ResolveAsync(_a.ImageOf(Name), new DirectLink(_b), default);

        Assert.False(result.Resolved);
        Assert.Contains("does not know the attempt", result.Message, StringComparison.Ordinal);
        Assert.Equal(AttemptState.Ceded, result.Report.LastRecord);
    }

    [Fact]
    public async Task Force_puts_a_damaged_journal_aside_and_takes_that_one_image()
    {
        await Move(_a, _b);
        await File.WriteAllTextAsync(_b.Journal.Path, "garbage");
        await File.WriteAllTextAsync(_b.ImageOf("other.img"), "other");
        Assert.Throws<JournalDamagedException>(() => _b.Owner.Report(_b.ImageOf(Name)));

        OwnerResult result = await _b.Owner.ForceAsync(_b.ImageOf(Name));

        Assert.Contains("put aside", result.Message, StringComparison.Ordinal);
        Assert.True(result.Report.MayRunHere);
        Assert.Equal(3ul, result.Report.Epoch);
        Assert.Equal(OwnershipVerdict.InDoubt, _b.Owner.Report(_b.ImageOf("other.img")).Verdict);
        Assert.True((await _b.Owner.ForceAsync(_b.ImageOf("other.img"))).Report.MayRunHere);
    }

    [Fact]
    public async Task A_target_that_is_owned_prepared_or_in_doubt_is_not_opened_for_writing()
    {
        string target = _b.ImageOf(Name);
        _b.Destination.GuardTarget(target);
        await Move(_a, _b, cutCommit: true);
        Assert.Contains("only its source decides", Assert.Throws<DiskSyncException>(() => _b.Destination.GuardTarget(target)).Message, StringComparison.Ordinal);
        await _a.Owner.ResolveAsync(_a.ImageOf(Name), new DirectLink(_b), default);
        Assert.Equal(FailureKind.Preflight, Assert.Throws<DiskSyncException>(() => _b.Destination.GuardTarget(target)).Kind);
        _a.Destination.GuardTarget(_a.ImageOf(Name));
    }

    [Fact]
    public async Task A_command_that_no_record_can_hold_is_refused_before_anything_is_paused()
    {
        using SourceAttempt attempt = _a.Source.Begin([_a.ImageOf(Name)], "b", new string('x', 5000));
        Assert.Equal(
            FailureKind.Usage,
            (await Assert.ThrowsAsync<DiskSyncException>(
                () => _a.Source.PauseAsync(attempt, RealHost.Machine($"touch {_temp.File("paused")}"), CancellationToken.None))).Kind);
        Assert.False(File.Exists(_temp.File("paused")));
        Assert.True(_a.Owner.Report(_a.ImageOf(Name)).MayRunHere);
    }

    [Fact]
    public async Task Names_are_made_unusable_and_usable_any_number_of_times_and_never_over_another_file()
    {
        FileSourceImages names = new();
        string image = _a.ImageOf(Name);
        await names.MakeUnusableAsync(image, 9);
        await names.MakeUnusableAsync(image, 9);
        Assert.False(File.Exists(image));
        await File.WriteAllTextAsync(image, "somebody else's");
        await Assert.ThrowsAsync<DiskSyncException>(() => names.MakeUsableAsync(image, 9));
        Assert.Equal("somebody else's", await File.ReadAllTextAsync(image));
        File.Delete(image);
        await names.MakeUsableAsync(image, 9);
        await names.MakeUsableAsync(image, 9);
        Assert.Equal("data 1", await File.ReadAllTextAsync(image));
    }

    [Fact]
    public async Task The_process_that_lost_the_answer_asks_again_while_it_holds_its_locks()
    {
        string image = _a.ImageOf(Name);
        using SourceAttempt attempt = _a.Source.Begin([image], "b", string.Empty);
        await _a.Source.PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
        File.Copy(image, _b.ImageOf(Name + ".partial"));
        Hash256 root = Blake3.Hash(await File.ReadAllBytesAsync(image));
        HandOverResult result = await _a.Source.HandOverAsync(attempt, [root], string.Empty, false, new CutLink(new DirectLink(_b), cutCommit: true), () => { }, default);
        Assert.Equal(HandOverState.InDoubt, result.State);

        result = await _a.Source.ResolveAsync(attempt, new DirectLink(_b), CededWish.Complete, default);

        Assert.Equal(HandOverState.Done, result.State);
        Assert.True(_b.Owner.Report(_b.ImageOf(Name)).MayRunHere);
    }

    [Fact]
    public async Task A_device_is_ceded_by_a_mark_and_only_where_that_was_accepted()
    {
        ImagePlaces places = new(_temp.File("state-a"));
        FileImageWitness witness = new(places);
        DeviceAwareNames refused = new(new FileSourceImages(), new DeviceMarks(places), acceptUnfenced: false);
        Assert.Equal(
            FailureKind.Preflight,
            (await Assert.ThrowsAsync<DiskSyncException>(() => refused.MakeUnusableAsync("device:disk-1", 2))).Kind);

        DeviceAwareNames devices = new(new FileSourceImages(), new DeviceMarks(places), acceptUnfenced: true);
        Assert.True(witness.Look("device:disk-1").Exists);
        await devices.MakeUnusableAsync("device:disk-1", 2);
        await devices.MakeUnusableAsync("device:disk-1", 2);
        Assert.Equal(new ImageWitness(0, 2, false, false), witness.Look("device:disk-1"));
        await devices.MakeUsableAsync("device:disk-1", 2);
        Assert.Equal(new ImageWitness(0, 0, false, true), witness.Look("device:disk-1"));
    }

    [Fact]
    public async Task The_report_is_readable_and_names_the_way_out()
    {
        await Move(_a, _b, cutCommit: true);
        string text = string.Join('\n', _a.Owner.Report(_a.ImageOf(Name)).Lines);

        Assert.Contains("this host may not write: it has ceded", text, StringComparison.Ordinal);
        Assert.Contains("journal: CEDED, epoch 2", text, StringComparison.Ordinal);
        Assert.Contains("disksync owner --force", text, StringComparison.Ordinal);
        Assert.Contains("waits for the source's word", string.Join('\n', _b.Owner.Report(_b.ImageOf(Name)).Lines), StringComparison.Ordinal);
    }

    private static async Task<HandOverResult> Move(RealHost from, RealHost to, string resume = "", bool cutCommit = false)
    {
        string image = from.ImageOf(Name);
        using SourceAttempt attempt = from.Source.Begin([image], "the other", string.Empty);
        await from.Source.ReleaseEarlierAsync(attempt, new DirectLink(to), default);
        await from.Source.PauseAsync(attempt, NoMachine.Instance, CancellationToken.None);
        to.Destination.GuardTarget(to.ImageOf(Name));
        File.Copy(image, to.ImageOf(Name + ".partial"), overwrite: true);
        Hash256 root = Blake3.Hash(await File.ReadAllBytesAsync(image));
        return await from.Source.HandOverAsync(attempt, [root], resume, false, new CutLink(new DirectLink(to), cutCommit), () => { }, default);
    }
}
