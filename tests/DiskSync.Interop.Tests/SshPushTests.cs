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

    private Task<DisksyncResult> Push(string clientConfig, string image, string? remotePath = null) => DisksyncProcess.RunAsync(
        "push", image, $"far:{_folder.File("far")}/vm.img", "--json",
        "--rsh", $"ssh -F {clientConfig}",
        "--remote-path", remotePath ?? $"{Environment.ProcessPath} {DisksyncProcess.DllPath}",
        "--state", _folder.File("state"));
}
