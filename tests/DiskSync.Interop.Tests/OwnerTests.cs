using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary><c>disksync owner</c> on either side of real hand-overs.</summary>
public sealed class OwnerTests : IAsyncLifetime, IDisposable
{
    private const int InDoubt = 8;

    private readonly HandOverLab _lab = new();

    private string[] ToReceiver => ["--destination", $"unix:{_lab.Socket}:vm.img"];

    public Task InitializeAsync() => _lab.StartReceiverAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task An_image_that_was_never_handed_over_is_reported_as_this_hosts_and_nothing_is_done_to_it()
    {
        string image = _lab.Image("vm.img");
        DisksyncResult report = await _lab.OwnerHereAsync(image, "--report");
        AssertReport(report, 0, "Unseen");
        _lab.AssertStillHere(image);
    }

    [Fact]
    public async Task With_no_link_both_sides_are_in_doubt_and_say_so_and_with_one_the_source_completes()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);

        DisksyncResult here = await _lab.OwnerHereAsync(image);
        AssertReport(here, InDoubt, "Ceded");
        Assert.Contains("cannot be asked", here.Error, StringComparison.Ordinal);
        Assert.Contains("--force", here.Json.GetProperty("wayOut").GetString(), StringComparison.Ordinal);
        AssertReport(await _lab.OwnerThereAsync("vm.img"), InDoubt, "Prepared");
        Assert.False(File.Exists(_lab.Resumed));
        Assert.False(File.Exists(_lab.Unpaused));

        here = await _lab.OwnerHereAsync(image, ToReceiver);
        AssertReport(here, 0, "Elsewhere");
        _lab.AssertMoved(image);
        Assert.True(File.Exists(_lab.Resumed), here.ToString());
        AssertReport(await _lab.OwnerThereAsync("vm.img"), 0, "Owner");
    }

    [Fact]
    public async Task Return_at_the_source_takes_back_what_the_destination_has_not_taken_and_unpauses()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);

        DisksyncResult here = await _lab.OwnerHereAsync(image, ["--return", .. ToReceiver]);
        AssertReport(here, 0, "Owner");
        Assert.True(File.Exists(_lab.Unpaused), here.ToString());
        _lab.AssertStillHere(image);
        AssertReport(await _lab.OwnerThereAsync("vm.img", "--report"), 0, "Refused");

        DisksyncResult again = await _lab.MigrateAsync([image], "--resume", "start");
        Assert.True(again.ExitCode == 0, again.ToString());
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task Return_at_the_destination_refuses_what_it_was_promised_and_the_source_takes_it_back()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);

        AssertReport(await _lab.OwnerThereAsync("vm.img", "--return"), 0, "Refused");
        Assert.False(File.Exists(_lab.Unpaused));
        DisksyncResult here = await _lab.OwnerHereAsync(image, ToReceiver);
        AssertReport(here, 0, "Owner");
        Assert.True(File.Exists(_lab.Unpaused), here.ToString());
        _lab.AssertStillHere(image);
    }

    [Fact]
    public async Task Owner_at_the_source_is_not_content_while_the_destinations_machine_does_not_start()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);
        await _lab.KillReceiverAsync();
        await _lab.StartReceiverAsync("exit 7");

        DisksyncResult here = await _lab.OwnerHereAsync(image, ToReceiver);
        AssertReport(here, InDoubt, "Elsewhere");
        Assert.Contains("its resume command ended with exit code 7", here.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        DisksyncResult there = await _lab.OwnerThereAsync("vm.img");
        AssertReport(there, 0, "Owner");
        Assert.True(File.Exists(_lab.Resumed), there.ToString());
    }

    [Fact]
    public async Task A_destination_whose_machine_does_not_start_hands_back_and_the_source_goes_on()
    {
        string image = _lab.Image("vm.img");
        await _lab.KillReceiverAsync();
        await _lab.StartReceiverAsync("exit 7");
        DisksyncResult failed = await _lab.MigrateAsync([image], "--pause", "true", "--unpause", _lab.Unpause, "--resume", "start");
        Assert.True(failed.ExitCode == 4, failed.ToString());
        AssertReport(await _lab.OwnerHereAsync(image, "--report"), 0, "Elsewhere");

        DisksyncResult there = await _lab.OwnerThereAsync("vm.img", "--return");
        Assert.True(there.ExitCode == 0, there.ToString());
        Assert.False(there.Json.GetProperty("mayRunHere").GetBoolean());
        DisksyncResult here = await _lab.OwnerHereAsync(image);
        AssertReport(here, 0, "Owner");
        Assert.Equal(3, here.Json.GetProperty("epoch").GetInt32());
        Assert.True(File.Exists(_lab.Unpaused), here.ToString());
        _lab.AssertStillHere(image);
    }

    [Fact]
    public async Task A_destination_whose_machine_has_run_does_not_hand_back_but_names_the_way()
    {
        string image = _lab.Image("vm.img");
        DisksyncResult moved = await _lab.MigrateAsync([image], "--resume", "start");
        Assert.True(moved.ExitCode == 0, moved.ToString());

        DisksyncResult there = await _lab.OwnerThereAsync("vm.img", "--return");
        Assert.True(there.ExitCode == 6, there.ToString());
        Assert.Contains("Migrate it back", there.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task Force_needs_the_operators_word_and_then_the_destination_takes_over_and_resumes()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);

        DisksyncResult refused = await _lab.OwnerThereAsync("vm.img", "--force");
        Assert.True(refused.ExitCode == 2, refused.ToString());
        Assert.Contains("fenced", refused.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        AssertReport(await _lab.OwnerThereAsync("vm.img", "--report"), 0, "Prepared");

        DisksyncResult forced = await _lab.OwnerThereAsync("vm.img", "--force", "--yes");
        AssertReport(forced, 0, "Owner");
        Assert.True(forced.Json.GetProperty("mayRunHere").GetBoolean());
        Assert.True(File.Exists(_lab.Resumed), forced.ToString());
        _lab.AssertMoved(image);
        AssertReport(await _lab.OwnerHereAsync(image, ToReceiver), 0, "Elsewhere");
    }

    [Fact]
    public async Task Forced_at_the_source_it_has_its_image_back_under_an_epoch_that_the_destination_never_saw()
    {
        string image = _lab.Image("vm.img");
        await _lab.CedeAndKillAsync(image);

        DisksyncResult forced = await _lab.OwnerHereAsync(image, "--force", "--yes");
        AssertReport(forced, 0, "Owner");
        Assert.Equal(3, forced.Json.GetProperty("epoch").GetInt32());
        Assert.True(File.Exists(_lab.Unpaused), forced.ToString());
        _lab.AssertStillHere(image);
    }

    private static void AssertReport(DisksyncResult result, int exitCode, string verdict)
    {
        Assert.True(result.ExitCode == exitCode, result.ToString());
        Assert.Equal(verdict, result.Json.GetProperty("verdict").GetString());
    }
}
