using DiskSync.TestSupport;
using Xunit.Abstractions;

namespace DiskSync.Interop.Tests;

/// <summary>A machine is moved while it writes, and something breaks at a seeded moment; tools/faults/run breaks more.</summary>
public sealed class LiveFaultTests
{
    private const string Name = "vm.img";
    private readonly ITestOutputHelper _output;

    public LiveFaultTests(ITestOutputHelper output) => _output = output;

    [Theory]
    [InlineData("migrate")]
    [InlineData("receiver")]
    [InlineData("near export")]
    [InlineData("far export")]
    [InlineData("both exports")]
    [InlineData("link for a second")]
    [InlineData("link until migrate has ended")]
    public async Task Whatever_breaks_while_a_writing_machine_moves_no_answered_write_is_lost_and_the_next_command_ends_it(string what)
    {
        for (int i = 0; i < KillSettings.LiveFaults; i++)
        {
            int seed = KillSettings.FirstSeed + i;
            Random dice = KillSettings.Dice(seed);
            bool whilePaused = dice.Next(2) == 0;
            TimeSpan delay = TimeSpan.FromMilliseconds(dice.Next(whilePaused ? 700 : 3000));
            string moment = $"{what}, seed {seed}: {delay.TotalMilliseconds:0} ms after {(whilePaused ? "the pause" : "the start")}";
            _output.WriteLine(moment);
            try
            {
                await BreakAsync(what, whilePaused, delay, seed);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(moment, exception);
            }
        }
    }

    private async Task BreakAsync(string what, bool whilePaused, TimeSpan delay, int seed)
    {
        using HandOverLab lab = new();
        string image = lab.Image(Name);
        string near = lab.Folder.File("n.sock");
        string far = lab.Folder.File("f.sock");
        string relay = lab.Folder.File("relay.sock");
        using UnsteadyLink link = new(relay, lab.Socket);
        await using ExportKeeper nearExport = new("export", image, "--track", "--listen", $"unix:{near}", "--state", lab.NearState);
        await using ExportKeeper farExport = new(
            "export", lab.Moved(Name), "--track", "--incoming", "--size", $"{SampleImages.Length}", "--listen", $"unix:{far}", "--state", lab.FarState);
        MovingGuest guest = new(lab.Folder.Path, near, far, SampleImages.Length, seed);
        try
        {
            await lab.StartReceiverAsync(guest.ResumeCommand);
            await Eventually.TrueAsync(() => guest.Writes > 100, "the machine writes");
            string[] options =
            [
                "--socket", relay, "--pause", guest.PauseCommand, "--unpause", guest.UnpauseCommand, "--resume", "start",
                "--compress", "never", "--limit", "16M",
            ];
            using (DisksyncProcess migrate = lab.StartMigrate([image], options))
            {
                await Eventually.TrueAsync(() => !whilePaused || guest.IsPaused || migrate.Process.HasExited, "the machine is paused");
                await Task.Delay(delay);
                await BreakNowAsync(what, lab, link, nearExport, farExport, guest, migrate);
                DisksyncResult ended = await migrate.WaitAsync();
                link.Mend();
                _output.WriteLine($"    ended with {ended.ExitCode}, the machine is {(guest.IsThere ? "there" : "here")}");
            }

            await ResolveAsync(lab, image, guest, options);
            long before = guest.Writes;
            await Eventually.TrueAsync(() => guest.Writes > before + 100, "the machine goes on writing at the destination");
        }
        finally
        {
            await guest.DisposeAsync();
        }

        // The one that is started again and again takes the locks for a moment each time.
        await nearExport.StopAsync();
        await farExport.StopAsync();
        Assert.False(File.Exists(image));
        guest.AssertHolds(lab.Moved(Name));
        DisksyncResult owner = await lab.OwnerThereAsync(Name);
        Assert.True(owner.ExitCode == 0 && owner.Json.GetProperty("mayRunHere").GetBoolean(), owner.ToString());
        owner = await lab.OwnerHereAsync(image);
        Assert.True(owner.ExitCode == 0 && !owner.Json.GetProperty("mayRunHere").GetBoolean(), owner.ToString());
    }

    private static async Task BreakNowAsync(
        string what, HandOverLab lab, UnsteadyLink link, ExportKeeper nearExport, ExportKeeper farExport, MovingGuest guest, DisksyncProcess migrate)
    {
        switch (what)
        {
            case "migrate":
                migrate.Signal(9);
                break;
            case "receiver":
                await lab.KillReceiverAsync();
                await lab.StartReceiverAsync(guest.ResumeCommand);
                break;
            case "near export":
                nearExport.Signal(9);
                break;
            case "far export":
                farExport.Signal(9);
                break;
            case "both exports":
                nearExport.Signal(9);
                farExport.Signal(9);
                break;
            case "link for a second":
                link.Cut();
                await Task.Delay(1000);
                link.Mend();
                break;
            default:
                link.Cut();
                break;
        }
    }

    /// <summary>What an operator does: asks who owns, and runs the migrate again where it is still here.</summary>
    private static async Task ResolveAsync(HandOverLab lab, string image, MovingGuest guest, string[] options)
    {
        DisksyncResult last = await lab.OwnerHereAsync(image);
        for (int tries = 0; tries < 5 && !guest.IsThere; tries++)
        {
            last = await lab.MigrateAsync([image], options);
            if (last.ExitCode != 0)
            {
                // An export that was just started again may not serve yet.
                await Task.Delay(1000);
                await lab.OwnerHereAsync(image);
            }
        }

        Assert.True(guest.IsThere, last.ToString());
    }
}
