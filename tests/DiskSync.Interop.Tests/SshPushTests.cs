using DiskSync.Linux;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Copies through a real sshd, as a user makes them.</summary>
public sealed class SshPushTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SshServer _server = new();

    public void Dispose()
    {
        _server.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_push_over_ssh_ends_with_an_identical_image_and_the_next_one_sends_only_what_changed()
    {
        string image = _folder.File("vm.img");
        string copy = _folder.File("far/vm.img");
        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(image);

        DisksyncResult first = await Push(_server.ClientConfig, image);
        Assert.True(first.ExitCode == 0, first.ToString());
        Tool.Run("diffutils", "cmp", image, copy);

        long changed = SampleImages.ChangeSome(image, seed: 1, pages: 50);
        DisksyncResult second = await Push(_server.ClientConfig, image);
        Assert.True(second.ExitCode == 0, second.ToString());
        Tool.Run("diffutils", "cmp", image, copy);
        long sent = second.Json.GetProperty("bytesSent").GetInt64();
        Assert.True(sent < 1.2 * changed, $"{sent} bytes were sent for {changed} changed ones");
    }

    [Fact]
    public async Task A_host_whose_key_changed_is_refused_in_the_words_of_ssh_and_nothing_is_written()
    {
        string image = _folder.File("vm.img");
        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(image);

        DisksyncResult result = await Push(_server.ConfigWithAnotherHostKey(), image);

        Assert.Equal(5, result.ExitCode);
        Assert.Contains("HOST IDENTIFICATION HAS CHANGED", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.File("far")));
    }

    [Fact]
    public async Task A_program_missing_on_the_other_host_is_named_with_the_option_that_helps()
    {
        string image = _folder.File("vm.img");
        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(image);

        DisksyncResult result = await Push(_server.ClientConfig, image, remotePath: "/nowhere/disksync");

        Assert.Equal(5, result.ExitCode);
        Assert.Contains("/nowhere/disksync", result.Error, StringComparison.Ordinal);
        Assert.Contains("--remote-path", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_on_a_terminal_ends_ssh_too_and_is_still_told_from_a_lost_connection()
    {
        string image = _folder.File("vm.img");
        string copy = _folder.File("far/vm.img");
        Directory.CreateDirectory(_folder.File("far"));
        SampleImages.Write(image);

        // A terminal signals the whole process group, so disksync gets one of its own here.
        using (DisksyncProcess push = DisksyncProcess.Start([.. Arguments(_server.ClientConfig, image), "--limit", "1M"], start =>
        {
            start.ArgumentList.Insert(0, start.FileName);
            start.FileName = "setsid";
        }))
        {
            await Eventually.TrueAsync(() => FileStat.IfExists(copy + ".partial")?.AllocatedBytes > 1 << 20, "some of it is staged", push);
            Tool.Run("dash", "sh", "-c", $"kill -s INT -- -{push.Process.Id}");
            DisksyncResult stopped = await push.WaitAsync();
            Assert.True(stopped.ExitCode == 9, stopped.ToString());
            Assert.Contains("same command again", stopped.JsonError.GetProperty("advice").GetString(), StringComparison.Ordinal);
        }

        DisksyncResult again = await Push(_server.ClientConfig, image);
        Assert.True(again.ExitCode == 0, again.ToString());
        Assert.True(again.Json.GetProperty("resumed").GetBoolean());
        Tool.Run("diffutils", "cmp", image, copy);
    }

    private Task<DisksyncResult> Push(string clientConfig, string image, string? remotePath = null) =>
        DisksyncProcess.RunAsync(Arguments(clientConfig, image, remotePath));

    private string[] Arguments(string clientConfig, string image, string? remotePath = null) =>
    [
        "push", image, $"far:{_folder.File("far")}/vm.img", "--json",
        "--rsh", $"ssh -F {clientConfig}",
        "--remote-path", remotePath ?? $"{Environment.ProcessPath} {DisksyncProcess.DllPath}",
        "--state", _folder.File("state"),
    ];
}
