using System.Diagnostics;
using System.Text.Json;
using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary><c>migrate --tail</c>: a machine that writes faster than the link carries moves all the same, with the real program on both sides and real clients.</summary>
public sealed class TailMigrateTests : IDisposable
{
    private const string Name = "vm.img";
    private const int Length = 96 << 20;
    private const int Written = 12 << 20;
    private const int Mark = 64 << 20;
    private readonly HandOverLab _lab = new();
    private readonly string _image;

    public TailMigrateTests()
    {
        _image = _lab.Folder.File("near/" + Name);
        File.WriteAllBytes(_image, SampleImage.Noise(5, 2 << 20));
        using FileStream file = File.OpenWrite(_image);
        file.SetLength(Length);
    }

    private string NearUri => $"nbd+unix:///?socket={_lab.Folder.File("near.sock")}";

    private string FarUri => $"nbd+unix:///?socket={_lab.Folder.File("far.sock")}";

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_machine_that_writes_all_the_time_runs_at_the_destination_before_its_disk_is_there_and_loses_nothing()
    {
        using DisksyncProcess near = await ExportAsync(_lab.Folder.File("near.sock"), [_image, "--track", "--state", _lab.NearState]);
        using DisksyncProcess far = await ExportAsync(
            _lab.Folder.File("far.sock"), [_lab.Moved(Name), "--incoming", "--size", $"{Length}", "--state", _lab.FarState]);

        // What the machine reads first is of what it wrote last, most of which is not there yet.
        await _lab.StartReceiverAsync($"qemu-io -f raw -c 'read 0 {Written}' -c 'write -f -P 7 {Mark} 4096' '{FarUri}' && {HandOverLab.Note(_lab.Resumed)}");
        using Process writer = StartWriter();
        DisksyncResult migrate = await StartMigrate(writer).WaitAsync();
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        Assert.Contains("The VM will depend on both hosts until", migrate.Error, StringComparison.Ordinal);
        Assert.True(migrate.Json.GetProperty("tailBytes").GetInt64() > 0, migrate.Output);
        Assert.False(migrate.Json.GetProperty("identical").GetBoolean());
        Assert.True(migrate.Json.GetProperty("fullVerifySeconds").GetDouble() > 0, migrate.Output);
        Assert.True(File.Exists(_lab.Resumed));
        AssertWhole();

        // Both sides have settled, and the export is one like any other.
        Assert.Equal("Elsewhere", (await _lab.OwnerHereAsync(_image)).Json.GetProperty("verdict").GetString());
        Assert.Equal("Owner", (await _lab.OwnerThereAsync(Name)).Json.GetProperty("verdict").GetString());
        Assert.Equal(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", $"read -P 7 {Mark} 4096", FarUri).Code);
        Stop(writer);
        far.Signal(15);
        Assert.Equal(0, (await far.WaitAsync()).ExitCode);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(2)]
    public async Task A_migrate_that_ends_leaves_the_source_pinned_and_owner_goes_on_until_the_destination_is_whole(int signal)
    {
        using DisksyncProcess near = await ExportAsync(_lab.Folder.File("near.sock"), [_image, "--track", "--state", _lab.NearState]);
        await _lab.StartReceiverAsync();
        using Process writer = StartWriter();

        // Nothing is fetched before an export is there to fetch it.
        using (DisksyncProcess migrate = StartMigrate(writer))
        {
            await Eventually.FileAsync(_lab.Resumed);
            await Eventually.TrueAsync(() => Verdict(_image, _lab.NearState) == "Pinned", "the source is pinned", migrate);
            DisksyncResult second = await DisksyncProcess.RunAsync(["owner", _image, "--state", _lab.NearState, "--force", "--yes"], null);
            Assert.True(second.ExitCode == (int)FailureKind.Preflight, second.ToString());
            migrate.Signal(signal);
            DisksyncResult stopped = await migrate.WaitAsync();
            Assert.True(signal == 9 || stopped.ExitCode == (int)FailureKind.Interrupted, stopped.ToString());
            Assert.True(signal == 9 || stopped.Error.Contains("not served any more", StringComparison.Ordinal), stopped.ToString());
        }

        Assert.Equal("Incomplete", Verdict(_lab.Moved(Name), _lab.FarState));
        Assert.False(File.Exists(_lab.Moved(Name)));
        Assert.True(File.Exists(_lab.Moved(Name) + ".incomplete-2"));
        await RefusedAsync("not whole yet", "export", _lab.Moved(Name), "--state", _lab.FarState, "--listen", $"unix:{_lab.Folder.File("x.sock")}");
        await RefusedAsync("not whole yet", "migrate", _lab.Moved(Name), _lab.Folder.File("on.img"), "--state", _lab.FarState, "--pause", "true", "--unpause", "true");
        await RefusedAsync("not whole yet", "push", _lab.Folder.Write("other.img", SampleImage.Noise(6, 1 << 20)), $"unix:{_lab.Socket}:{Name}", "--state", _lab.NearState);
        await RefusedAsync("--discard-writes", "owner", _lab.Moved(Name), "--return", "--state", _lab.FarState);
        await RefusedAsync("pinned", "migrate", _image, _lab.Folder.File("on.img"), "--state", _lab.NearState, "--pause", "true", "--unpause", "true");
        Assert.NotEqual(0, (await DisksyncProcess.RunAsync(
            ["clean", HandOverLab.Ceded(_image), "--state", _lab.NearState, "--yes"], null)).ExitCode);
        Assert.True(File.Exists(HandOverLab.Ceded(_image)));

        using DisksyncProcess owner = DisksyncProcess.Start(["owner", _image, "--state", _lab.NearState, "--json"]);
        using DisksyncProcess far = await ExportAsync(_lab.Folder.File("far.sock"), [_lab.Moved(Name), "--incoming", "--state", _lab.FarState]);
        Tool.Run("qemu-utils", "qemu-io", "-f", "raw", "-c", $"read 0 {Written}", "-c", $"write -f -P 7 {Mark} 4096", FarUri);
        DisksyncResult ended = await owner.WaitAsync();
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Equal("Elsewhere", ended.Json.GetProperty("verdict").GetString());
        AssertWhole();
        Stop(writer);
    }

    [Fact]
    public async Task A_machine_that_will_never_be_whole_is_handed_back_with_the_word_that_its_writes_may_be_lost()
    {
        using DisksyncProcess near = await ExportAsync(_lab.Folder.File("near.sock"), [_image, "--track", "--state", _lab.NearState]);
        await _lab.StartReceiverAsync();
        using Process writer = StartWriter();
        using DisksyncProcess migrate = StartMigrate(writer);
        await Eventually.FileAsync(_lab.Resumed);
        await Eventually.TrueAsync(() => Verdict(_image, _lab.NearState) == "Pinned", "the source is pinned", migrate);
        DisksyncResult returned = await _lab.OwnerThereAsync(Name, "--return", "--discard-writes", "--yes");
        Assert.True(returned.ExitCode == 0, returned.ToString());

        // Whoever serves hears of it, and has the machine go on here.
        DisksyncResult ended = await migrate.WaitAsync();
        Assert.NotEqual(0, ended.ExitCode);
        Assert.Contains("handed back", ended.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_image));
        Assert.True(File.Exists(_lab.Unpaused));
        DisksyncResult forced = await _lab.OwnerThereAsync(Name, "--force", "--yes");
        Assert.True(forced.ExitCode == (int)FailureKind.Preflight, forced.ToString());
        Stop(writer);
    }

    private static void Stop(Process writer)
    {
        Tool.Run("util-linux", "sh", "-c", $"kill -CONT {writer.Id}; kill -9 {writer.Id}");
        writer.WaitForExit();
    }

    private static string Verdict(string image, string state)
    {
        DisksyncResult result = DisksyncProcess.RunAsync(["owner", image, "--state", state, "--report", "--json"], null).GetAwaiter().GetResult();
        return result.ExitCode == 0 || result.Output.Length > 0 ? result.Json.GetProperty("verdict").GetString()! : result.Error;
    }

    private static async Task RefusedAsync(string why, params string[] command)
    {
        DisksyncResult result = await DisksyncProcess.RunAsync(command, null);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(why, result.Error, StringComparison.Ordinal);
    }

    // Everything as it was frozen, but for what the machine wrote at the destination.
    private void AssertWhole()
    {
        // Not by .NET, which heeds the exports' locks.
        Tool.Run("coreutils", "cp", HandOverLab.Ceded(_image), _lab.Folder.File("frozen"));
        byte[] expected = File.ReadAllBytes(_lab.Folder.File("frozen"));
        expected.AsSpan(Mark, 4096).Fill(7);
        Tool.Run("diffutils", "cmp", _lab.Folder.Write("expected", expected), _lab.Moved(Name));
        Assert.True(File.Exists(_lab.Moved(Name) + ".seal"));
        Assert.Empty(Directory.GetFiles(_lab.Root, Name + ".incomplete-*"));
        Assert.False(File.Exists(_lab.Moved(Name) + ".tail"));
        Assert.False(File.Exists(_lab.Moved(Name) + ".presence"));
    }

    private DisksyncProcess StartMigrate(Process writer) => DisksyncProcess.Start(
    [
        "migrate", _image, $"unix:{_lab.Socket}:{Name}", "--state", _lab.NearState, "--json", "--tail", "--max-downtime", "5", "--limit", "2M", "--max-rounds", "1", "--verify-full",
        "--pause", $"kill -STOP {writer.Id}", "--unpause", _lab.Unpause, "--resume", "start",
    ]);

    private Process StartWriter() => Tool.Start(
        "fio",
        "fio",
        [
            "--name=w", "--ioengine=nbd", $"--uri={NearUri}", "--rw=randwrite", "--bs=64k", "--iodepth=8", $"--size={Written}", "--rate=40m",
            "--refill_buffers", "--time_based", "--runtime=600", "--thread", $"--output={_lab.Folder.File("fio")}",
        ]);

    private static async Task<DisksyncProcess> ExportAsync(string socket, string[] options)
    {
        DisksyncProcess process = DisksyncProcess.Start(["export", .. options, "--listen", $"unix:{socket}"]);
        await Eventually.TrueAsync(() => File.Exists(socket), "the export listens", process);
        return process;
    }
}
