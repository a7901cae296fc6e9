using DiskSync.TestSupport;
using Xunit.Abstractions;

namespace DiskSync.Interop.Tests;

/// <summary>Migrates killed at seeded moments; tools/killtest/run kills more of them.</summary>
public sealed class MigrateMomentTests
{
    private readonly ITestOutputHelper _output;

    public MigrateMomentTests(ITestOutputHelper output) => _output = output;

    [Theory]
    [InlineData("source")]
    [InlineData("receiver")]
    public async Task A_migrate_that_was_killed_at_any_moment_is_resolved_by_the_same_migrate_and_one_machine_runs(string side)
    {
        for (int i = 0; i < KillSettings.MigrateKills; i++)
        {
            int seed = KillSettings.FirstSeed + i;
            Random dice = KillSettings.Dice(seed);

            // Half of them where it is decided: the pause lasts some tenths of a second.
            bool whilePaused = dice.Next(2) == 0;
            TimeSpan delay = TimeSpan.FromMilliseconds(dice.Next(whilePaused ? 500 : 2000));
            string what = $"{side} killed, seed {seed}: {delay.TotalMilliseconds:0} ms after {(whilePaused ? "the pause" : "the start")}";
            _output.WriteLine(what);
            try
            {
                await KillAndResolveAsync(side, whilePaused, delay);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException(what, exception);
            }
        }
    }

    private async Task KillAndResolveAsync(string side, bool whilePaused, TimeSpan delay)
    {
        using HandOverLab lab = new();
        string image = lab.Image("vm.img");
        string here = lab.Folder.Write("runs-here", []);
        string there = lab.Folder.File("runs-there");
        string paused = lab.Folder.File("paused");
        string resume = $"touch {there}";
        string[] options =
        [
            "--pause", $"rm -f {here} && touch {paused}", "--unpause", $"touch {here}", "--resume", "start",
            "--compress", "never", "--limit", "16M",
        ];
        await lab.StartReceiverAsync(resume);
        using (DisksyncProcess migrate = lab.StartMigrate([image], options))
        {
            await Eventually.TrueAsync(
                () => !whilePaused || File.Exists(paused) || migrate.Process.HasExited, "the machine is paused");
            await Task.Delay(delay);
            if (side == "source")
            {
                migrate.Signal(9);
            }
            else
            {
                await lab.KillReceiverAsync();
                AssertOneRuns(here, there);
                await lab.StartReceiverAsync(resume);
            }

            DisksyncResult ended = await migrate.WaitAsync();
            AssertOneRuns(here, there);
            _output.WriteLine($"    ended with {ended.ExitCode}, the machine runs {(File.Exists(here) ? "here" : File.Exists(there) ? "there" : "nowhere")}");
        }

        DisksyncResult report = await lab.OwnerHereAsync(image, "--report");
        string verdict = report.Json.GetProperty("verdict").GetString()!;
        if (verdict != "Elsewhere")
        {
            DisksyncResult again = await lab.MigrateAsync([image], options);
            Assert.True(again.ExitCode == 0, $"{verdict}, then {again}");
        }

        lab.AssertMoved(image);
        await Eventually.FileAsync(there);
        AssertOneRuns(here, there);
        DisksyncResult owner = await lab.OwnerThereAsync("vm.img");
        Assert.True(owner.ExitCode == 0 && owner.Json.GetProperty("mayRunHere").GetBoolean(), owner.ToString());
        owner = await lab.OwnerHereAsync(image);
        Assert.True(owner.ExitCode == 0 && !owner.Json.GetProperty("mayRunHere").GetBoolean(), owner.ToString());
    }

    private static void AssertOneRuns(string here, string there) =>
        Assert.False(File.Exists(here) && File.Exists(there), "the machine runs on both sides");
}
