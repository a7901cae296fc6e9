using System.Text.Json;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary>Keys, trust, and what is said where one of them is missing.</summary>
public sealed class KeygenAndTrustTests : ImageFiles
{
    private const string Key = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

    [Fact]
    public async Task Keygen_makes_a_key_once_and_says_what_to_run_on_the_other_host()
    {
        string keys = Folder.File("keys");
        DisksyncResult made = await DisksyncProcess.RunAsync("keygen", "--keys", keys);
        Assert.True(made.ExitCode == 0, made.ToString());
        string fingerprint = made.Output.Split('\n')[0];
        Assert.Contains($"disksync trust {Environment.MachineName} {fingerprint}", made.Output, StringComparison.Ordinal);

        AssertFailure(await DisksyncProcess.RunAsync("keygen", "--keys", keys), 6, "has a key already", "--force", "--show");
        Assert.Equal(fingerprint, (await DisksyncProcess.RunAsync("keygen", "--keys", keys, "--show", "--json")).Json.GetProperty("fingerprint").GetString());
        Assert.NotEqual(fingerprint, (await DisksyncProcess.RunAsync("keygen", "--keys", keys, "--force", "--json")).Json.GetProperty("fingerprint").GetString());
        AssertFailure(await DisksyncProcess.RunAsync("keygen", "--keys", keys, "--force", "--show"), 2, "--show makes no key");
    }

    [Fact]
    public async Task Trust_adds_lists_and_removes()
    {
        string keys = Folder.File("keys");
        Assert.Equal("nobody is trusted\n", (await DisksyncProcess.RunAsync("trust", "--list", "--keys", keys)).Output);
        Assert.Contains("may write below", (await DisksyncProcess.RunAsync("trust", "web1", Key, "--keys", keys)).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("may write below", (await DisksyncProcess.RunAsync("trust", "backup:7110", Key, "--keys", keys)).Output, StringComparison.Ordinal);

        JsonElement[] peers = [.. (await DisksyncProcess.RunAsync("trust", "--list", "--keys", keys, "--json")).Json.GetProperty("peers").EnumerateArray()];
        Assert.Equal(["web1", "backup:7110"], peers.Select(p => p.GetProperty("name").GetString()));
        Assert.Equal([true, false], peers.Select(p => p.GetProperty("admitsSource").GetBoolean()));

        Assert.Equal(0, (await DisksyncProcess.RunAsync("trust", "--remove", "WEB1", "--keys", keys)).ExitCode);
        AssertFailure(await DisksyncProcess.RunAsync("trust", "--remove", "web1", "--keys", keys), 2, "web1", "--list");
        Assert.Equal($"{Key}  backup:7110 (as a receiver alone)\n", (await DisksyncProcess.RunAsync("trust", "--list", "--keys", keys)).Output);
    }

    [Theory]
    [InlineData("NAME and FINGERPRINT", "trust")]
    [InlineData("NAME and FINGERPRINT", "trust", "web1")]
    [InlineData("NAME and FINGERPRINT", "trust", "web1", Key, "--list")]
    [InlineData("not a fingerprint", "trust", "web1", "SHA256:what")]
    [InlineData("not a name", "trust", "we/b1", Key)]
    public async Task Trust_says_what_it_cannot_understand(string said, params string[] arguments) =>
        AssertFailure(await DisksyncProcess.RunAsync([.. arguments, "--keys", Folder.File("keys")]), 2, said);

    [Fact]
    public async Task Without_a_key_neither_side_begins_and_both_say_how_to_make_one()
    {
        string keys = Folder.File("keys");
        AssertFailure(
            await DisksyncProcess.RunAsync("push", ImagePath, "disksync://127.0.0.1:1/vm.img", "--keys", keys),
            6, "has no key", $"disksync keygen --keys {keys}");
        AssertFailure(
            await DisksyncProcess.RunAsync("receive", "--listen", "tcp:127.0.0.1:0", "--root", Folder.Path, "--keys", keys),
            6, "has no key", $"disksync keygen --keys {keys}");
    }

    [Fact]
    public async Task A_receiver_that_does_not_listen_is_told_with_the_command_that_starts_it() => AssertFailure(
        await DisksyncProcess.RunAsync("push", ImagePath, "disksync://127.0.0.1:1/vm.img", "--insecure"),
        5, "disksync://127.0.0.1:1", "Connection refused", "disksync receive --listen tcp::1");

    [Theory]
    [InlineData("tcp:nowhere:1")]
    [InlineData("/run/d.sock")]
    public async Task A_place_to_listen_that_is_none_is_refused_with_those_that_are(string where) => AssertFailure(
        await DisksyncProcess.RunAsync("receive", "--listen", where, "--root", Folder.Path), 2, where, "unix:/run/disksync.sock", "tcp:");
}
