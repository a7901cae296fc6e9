using System.Text.Json;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>A machine goes to another host and comes back: two hosts' state folders, real exports, real receivers.</summary>
public sealed class ReturnTicketTests : IDisposable
{
    private const int Length = 64 << 20;
    private const int FewBlocks = 1 << 20;
    private readonly TempFolder _folder = new();
    private readonly List<DisksyncProcess> _processes = [];

    public ReturnTicketTests()
    {
        Directory.CreateDirectory(_folder.File("near"));
        Directory.CreateDirectory(_folder.File("far"));
        _folder.Write("near/vm.img", SampleImage.Noise(5, Length));
    }

    private string Far => _folder.File("far/vm.img");

    private string Near => _folder.File("near/vm.img");

    public void Dispose()
    {
        _processes.ForEach(p => p.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task The_way_back_reads_and_sends_only_what_was_written_since()
    {
        await GoAsync();
        Write(0x22, "1M", "8k");
        Write(0x23, "40M", "4k");
        JsonElement back = await ComeBackAsync();
        Assert.Equal("write tracking of the export, since the image came here", FirstSource(back));
        Assert.Equal("vm.img.ceded-2", back.GetProperty("bases")[0].GetString());
        Assert.True(back.GetProperty("rounds")[0].GetProperty("bytesRead").GetInt64() < FewBlocks, back.GetRawText());
        Assert.True(back.GetProperty("bytesSent").GetInt64() < FewBlocks, back.GetRawText());
        Assert.Equal(0x23, await ByteAtAsync(Near, 40 << 20));
    }

    [Fact]
    public async Task An_export_that_is_stopped_in_order_hands_on_what_it_knows()
    {
        DisksyncProcess export = await GoAsync();
        Write(0x22, "1M", "8k");
        await StopAsync(export);
        export = await ExportAsync(Far, "state-far", "f", "--track");
        Write(0x23, "40M", "4k");
        await StopAsync(export);
        await ExportAsync(Far, "state-far", "f", "--track", "--incoming");
        Write(0x24, "50M", "4k");
        JsonElement back = await ComeBackAsync();
        Assert.Equal("write tracking of the export, since the image came here", FirstSource(back));
        Assert.True(back.GetProperty("rounds")[0].GetProperty("bytesRead").GetInt64() < FewBlocks, back.GetRawText());
        Assert.Equal(0x22, await ByteAtAsync(Near, 1 << 20));
        Assert.Equal(0x24, await ByteAtAsync(Near, 50 << 20));
    }

    [Fact]
    public async Task After_an_export_that_was_killed_everything_is_scanned()
    {
        DisksyncProcess export = await GoAsync();
        Write(0x22, "1M", "8k");
        export.Signal(9);
        await export.WaitAsync();
        await ExportAsync(Far, "state-far", "f", "--track");
        JsonElement back = await ComeBackAsync();
        Assert.Equal("hash scan", FirstSource(back));
        Assert.True(back.GetProperty("bytesSent").GetInt64() < FewBlocks, back.GetRawText());
    }

    [Fact]
    public async Task What_was_written_while_no_export_ran_is_not_missed()
    {
        DisksyncProcess export = await GoAsync();
        Write(0x22, "1M", "8k");
        await StopAsync(export);
        Tool.Run("coreutils", "dd", "if=/dev/zero", $"of={Far}", "bs=4096", "seek=3000", "count=2", "conv=notrunc", "status=none");
        await ExportAsync(Far, "state-far", "f", "--track");
        JsonElement back = await ComeBackAsync();
        Assert.Equal("hash scan", FirstSource(back));
        Assert.Equal(0, await ByteAtAsync(Near, 3000 * 4096));
    }

    [Fact]
    public async Task Without_an_export_there_the_handed_over_copy_is_the_base_of_the_way_back()
    {
        await ReceiveAsync("far", "state-far", "d");
        await MigrateAsync(Near, "d", "state-near");
        File.Delete(Near + ".ceded-2.seal");
        JsonElement back = await ComeBackAsync();
        Assert.Equal("vm.img.ceded-2", back.GetProperty("bases")[0].GetString());
        Assert.True(back.GetProperty("bytesSent").GetInt64() < FewBlocks, back.GetRawText());
    }

    private static string? FirstSource(JsonElement migration) => migration.GetProperty("rounds")[0].GetProperty("dirtySource").GetString();

    private static async Task<int> ByteAtAsync(string path, int offset)
    {
        await using FileStream file = File.OpenRead(path);
        file.Position = offset;
        return file.ReadByte();
    }

    private static async Task StopAsync(DisksyncProcess export)
    {
        export.Signal(15);
        DisksyncResult ended = await export.WaitAsync();
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.DoesNotContain("forgotten", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>The machine goes from near to far, where an export awaits it.</summary>
    private async Task<DisksyncProcess> GoAsync()
    {
        await ReceiveAsync("far", "state-far", "d");
        await ExportAsync(Near, "state-near", "n", "--track");
        DisksyncProcess awaiting = await ExportAsync(Far, "state-far", "f", "--track", "--incoming", "--size", $"{Length}");
        await MigrateAsync(Near, "d", "state-near");
        Assert.True(File.Exists(Near + ".ceded-2.seal"));
        return awaiting;
    }

    /// <summary>The machine comes back, and both copies are the same.</summary>
    private async Task<JsonElement> ComeBackAsync()
    {
        await ReceiveAsync("near", "state-near", "b");
        JsonElement back = await MigrateAsync(Far, "b", "state-far");
        Tool.Run("diffutils", "cmp", Far + ".ceded-3", Near);
        return back;
    }

    private async Task<JsonElement> MigrateAsync(string image, string socket, string state)
    {
        DisksyncResult result = await DisksyncProcess.RunAsync(
            "migrate", image, $"unix:{_folder.File(socket)}:vm.img", "--state", _folder.File(state), "--pause", "true", "--unpause", "true",
            "--max-downtime", "60", "--verify-full", "--json");
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Json;
    }

    private Task<DisksyncProcess> ReceiveAsync(string root, string state, string socket) =>
        StartAsync(socket, "receive", "--listen", $"unix:{_folder.File(socket)}", "--root", _folder.File(root), "--state", _folder.File(state));

    private Task<DisksyncProcess> ExportAsync(string image, string state, string socket, params string[] options) =>
        StartAsync(socket, ["export", image, "--listen", $"unix:{_folder.File(socket)}", "--state", _folder.File(state), .. options]);

    private async Task<DisksyncProcess> StartAsync(string socket, params string[] arguments)
    {
        // A killed one leaves its socket, by which nobody must take the next one for ready.
        File.Delete(_folder.File(socket));
        DisksyncProcess process = DisksyncProcess.Start(arguments);
        _processes.Add(process);
        await ImageFiles.UntilAsync(() => File.Exists(_folder.File(socket)) || process.Process.HasExited);
        Assert.False(process.Process.HasExited, string.Join(' ', arguments));
        return process;
    }

    private void Write(int pattern, string offset, string length) => Tool.Run(
        "qemu-utils", "qemu-io", "-f", "raw", "-c", $"write -P {pattern} {offset} {length}", "-c", "flush", $"nbd+unix:///?socket={_folder.File("f")}");
}
