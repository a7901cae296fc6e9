using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary><c>export --incoming</c>: the disk of a guest that arrives, with the real program on both sides and real clients.</summary>
public sealed class IncomingExportTests : IDisposable
{
    private const string Name = "vm.img";
    private readonly HandOverLab _lab = new();

    private string SocketPath => _lab.Folder.File("e.sock");

    private string Uri => $"nbd+unix:///?socket={SocketPath}";

    // What a guest does first: it reads, and writes what must be durable.
    private string Guest => $"qemu-io -f raw -c 'read 0 65536' -c 'write -f -P 7 8192 4096' '{Uri}'";

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Nothing_of_a_copy_is_served_before_the_hand_over_and_all_of_it_to_the_resume_command()
    {
        string image = _lab.Image(Name);
        string looked = _lab.Folder.File("looked");
        string look = $"nbdinfo --size '{Uri}' >> {looked}; "
            + $"qemu-io -f raw -c 'read 0 512' '{Uri}' > /dev/null 2>&1 || echo no read >> {looked}; "
            + $"qemu-io -f raw -c 'write 0 512' '{Uri}' > /dev/null 2>&1 || echo no write >> {looked}; "
            + $"qemu-io -f raw -c flush '{Uri}' && echo flush >> {looked}";

        // Begun before there is anything: it waits until it knows the length.
        using DisksyncProcess export = Export();
        await Task.Delay(300);
        Assert.False(File.Exists(SocketPath));
        await _lab.StartReceiverAsync($"{Guest} && {HandOverLab.Note(_lab.Resumed)}");
        DisksyncResult migrate = await _lab.MigrateAsync(
            [image], "--pause", $"while ! test -S {SocketPath}; do sleep 0.05; done; {look}", "--unpause", "true", "--resume", "start");
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        Assert.Equal($"{SampleImages.Length}\nno read\nno write\nflush\n", await File.ReadAllTextAsync(looked));
        Assert.True(File.Exists(_lab.Resumed), "the resume command was served");
        AssertServed(image);

        // It is an export like any other from here on.
        DisksyncResult second = await DisksyncProcess.RunAsync("export", _lab.Moved(Name), "--state", _lab.FarState, "--listen", $"unix:{_lab.Folder.File("f")}");
        Assert.True(second.ExitCode == (int)FailureKind.Preflight, second.ToString());
        DisksyncResult back = await DisksyncProcess.RunAsync(
            "migrate", _lab.Moved(Name), _lab.Folder.File("elsewhere.img"), "--state", _lab.FarState, "--pause", "true", "--unpause", "true", "--resume", "true");
        Assert.True(back.ExitCode == (int)FailureKind.Preflight, back.ToString());

        export.Signal(15);
        DisksyncResult ended = await export.WaitAsync();
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Contains("is served now", ended.Error, StringComparison.Ordinal);
        AssertServed(image);
    }

    [Fact]
    public async Task A_receiver_that_is_killed_while_its_guest_starts_finishes_later_while_the_guest_is_served()
    {
        string image = _lab.Image(Name);
        string started = _lab.Folder.File("started");
        using DisksyncProcess export = Export("--size", $"{SampleImages.Length}");
        await UntilItListensAsync(export);
        await _lab.StartReceiverAsync($"{Guest} && touch {started} && sleep 600");
        using DisksyncProcess migrate = _lab.StartMigrate([image], "--pause", "true", "--unpause", "true", "--resume", "start");
        await Eventually.FileAsync(started);
        await _lab.KillReceiverAsync();
        migrate.Signal(9);
        await migrate.WaitAsync();
        Assert.Equal(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "write -f -P 9 65536 4096", Uri).Code);

        // The resume command runs again, on a disk that is served and has been written since.
        await _lab.StartReceiverAsync($"qemu-io -f raw -c 'read -P 9 65536 4096' '{Uri}' && {HandOverLab.Note(_lab.Resumed)}");
        await Eventually.FileAsync(_lab.Resumed);
        DisksyncResult owner = await _lab.OwnerHereAsync(image);
        Assert.True(owner.ExitCode == 0 && !owner.Json.GetProperty("mayRunHere").GetBoolean(), owner.ToString());
        Tool.Run("qemu-utils", "qemu-io", "-f", "raw", "-c", "read -P 7 8192 4096", "-c", "read -P 9 65536 4096", _lab.Moved(Name));
    }

    [Fact]
    public async Task An_export_that_was_killed_serves_again_what_this_host_owns()
    {
        string image = _lab.Image(Name);
        using (DisksyncProcess export = Export("--size", $"{SampleImages.Length}"))
        {
            await UntilItListensAsync(export);
            await _lab.StartReceiverAsync($"{Guest} && {HandOverLab.Note(_lab.Resumed)}");
            DisksyncResult migrate = await _lab.MigrateAsync([image], "--pause", "true", "--unpause", "true", "--resume", "start");
            Assert.True(migrate.ExitCode == 0, migrate.ToString());
            export.Signal(9);
            await export.WaitAsync();
        }

        File.Delete(SocketPath);
        using DisksyncProcess again = Export();
        await UntilItListensAsync(again);
        Assert.Equal(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "read -P 7 8192 4096", "-c", "write -P 7 8192 4096", Uri).Code);
        AssertServed(image);
    }

    [Fact]
    public async Task Another_length_than_was_announced_is_not_served()
    {
        string image = _lab.Image(Name);
        using DisksyncProcess export = Export("--size", "64K");
        await UntilItListensAsync(export);
        await _lab.StartReceiverAsync("true");
        DisksyncResult migrate = await _lab.MigrateAsync([image], "--pause", "true", "--unpause", "true", "--resume", "start");
        Assert.True(migrate.ExitCode == 0, migrate.ToString());
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "read 0 512", Uri).Code);
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-io", "-f", "raw", "-c", "write 0 512", Uri).Code);
        _lab.AssertMoved(image);
    }

    [Fact]
    public async Task A_guest_that_ran_nowhere_is_handed_back_once_its_export_has_ended()
    {
        string image = _lab.Image(Name);
        using DisksyncProcess export = Export("--size", $"{SampleImages.Length}");
        await UntilItListensAsync(export);
        await _lab.StartReceiverAsync($"qemu-io -f raw -c 'read 0 65536' '{Uri}'; false");
        DisksyncResult migrate = await _lab.MigrateAsync([image], "--pause", "true", "--unpause", "true", "--resume", "start");
        Assert.True(migrate.ExitCode != 0, migrate.ToString());
        DisksyncResult refused = await _lab.OwnerThereAsync(Name, "--return");
        Assert.True(refused.ExitCode == (int)FailureKind.Preflight, refused.ToString());
        export.Signal(15);
        await export.WaitAsync();
        DisksyncResult returned = await _lab.OwnerThereAsync(Name, "--return");
        Assert.True(returned.ExitCode == 0, returned.ToString());
        DisksyncResult owner = await _lab.OwnerHereAsync(image);
        Assert.True(owner.ExitCode == 0 && owner.Json.GetProperty("mayRunHere").GetBoolean(), owner.ToString());
    }

    private DisksyncProcess Export(params string[] options) => DisksyncProcess.Start(
        ["export", _lab.Moved(Name), "--incoming", "--state", _lab.FarState, "--listen", $"unix:{SocketPath}", .. options]);

    private Task UntilItListensAsync(DisksyncProcess export) => Eventually.TrueAsync(() => File.Exists(SocketPath), "the export listens", export);

    // What the guest wrote is there, and nothing else has changed.
    private void AssertServed(string image)
    {
        byte[] expected = File.ReadAllBytes(HandOverLab.Ceded(image));
        expected.AsSpan(8192, 4096).Fill(7);

        // Not by .NET, which heeds the export's lock.
        Tool.Run("diffutils", "cmp", _lab.Folder.Write("expected", expected), _lab.Moved(Name));
    }
}
