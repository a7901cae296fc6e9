using System.Buffers;
using System.Diagnostics;
using System.Text;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Interop.Tests;

/// <summary>Copies over TCP between two processes, with openssl as the judge of what is spoken there.</summary>
public sealed class TlsPushTests : IAsyncLifetime, IDisposable
{
    private readonly TlsLab _lab = new();

    public Task InitializeAsync() => _lab.ExchangeKeysAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task A_push_over_TLS_ends_with_an_identical_image_and_the_next_one_sends_only_what_changed()
    {
        string image = _lab.Image();
        await _lab.StartReceiverAsync();

        DisksyncResult first = await _lab.PushAsync(image, _lab.Name("a%20folder/"));
        Assert.True(first.ExitCode == 6, first.ToString());
        Directory.CreateDirectory(Path.Join(_lab.Root, "a folder"));
        first = await _lab.PushAsync(image, _lab.Name("a%20folder/"));
        Assert.True(first.ExitCode == 0, first.ToString());
        Tool.Run("diffutils", "cmp", image, Path.Join(_lab.Root, "a folder/vm.img"));

        long changed = SampleImages.ChangeSome(image, seed: 1, pages: 50);
        DisksyncResult second = await _lab.PushAsync(image, _lab.Name("a%20folder/vm.img"));
        Assert.True(second.ExitCode == 0, second.ToString());
        Tool.Run("diffutils", "cmp", image, Path.Join(_lab.Root, "a folder/vm.img"));
        long sent = second.Json.GetProperty("bytesSent").GetInt64();
        Assert.True(sent < 1.2 * changed, $"{sent} bytes were sent for {changed} changed ones");

        DisksyncResult stopped = await _lab.StopReceiverAsync();
        Assert.True(stopped.ExitCode == 0, stopped.ToString());
        Assert.StartsWith("served ", stopped.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_hosts_certificate_authorities_are_not_even_read()
    {
        string image = _lab.Image();
        await _lab.StartReceiverAsync();

        // Whoever reads this moves its access time.
        using ScratchMount mount = ScratchMount.Create(FileSystemKind.Tmpfs, options: "strictatime");
        string authorities = mount.File("authorities.pem");
        await File.WriteAllTextAsync(authorities, "none");
        DateTime before = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastAccessTimeUtc(authorities, before);
        DisksyncResult push = await DisksyncProcess.RunAsync(
            ["push", image, _lab.Name("vm.img"), "--keys", _lab.NearKeys, "--json"],
            info => info.Environment["SSL_CERT_FILE"] = authorities);
        Assert.True(push.ExitCode == 0, push.ToString());
        Tool.Run("diffutils", "cmp", image, Path.Join(_lab.Root, "vm.img"));
        Assert.Equal(before, File.GetLastAccessTimeUtc(authorities));
        await File.ReadAllTextAsync(authorities);
        Assert.NotEqual(before, File.GetLastAccessTimeUtc(authorities));
    }

    [Fact]
    public async Task Every_address_and_a_socket_are_listened_on_together()
    {
        string image = _lab.Image();
        string socket = _lab.Folder.File("s");
        await _lab.StartReceiverAsync("tcp::0", "--listen", $"unix:{socket}");
        await TlsLab.RunAsync("trust", "::1", _lab.FarFingerprint, "--keys", _lab.NearKeys);

        foreach ((string destination, string name) in new[]
            { (_lab.Name("4.img"), "4.img"), (_lab.Name("6.img", "[::1]"), "6.img"), ($"unix:{socket}:u.img", "u.img") })
        {
            DisksyncResult push = await _lab.PushAsync(image, destination);
            Assert.True(push.ExitCode == 0, push.ToString());
            Tool.Run("diffutils", "cmp", image, Path.Join(_lab.Root, name));
        }
    }

    [Fact]
    public async Task A_receiver_that_got_a_new_key_is_refused_until_it_is_trusted_anew()
    {
        string image = _lab.Image();
        string key = (await TlsLab.RunAsync("keygen", "--keys", _lab.FarKeys, "--force", "--json")).Json.GetProperty("fingerprint").GetString()!;
        await _lab.StartReceiverAsync();

        DisksyncResult refused = await _lab.PushAsync(image, _lab.Name("vm.img"), "--trust-new");
        Assert.True(refused.ExitCode == 6, refused.ToString());
        Assert.Contains(key, refused.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains(_lab.FarFingerprint, refused.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_lab.Root));

        await TlsLab.RunAsync("trust", "--remove", "127.0.0.1", "--keys", _lab.NearKeys);
        await TlsLab.RunAsync("trust", "127.0.0.1", key, "--keys", _lab.NearKeys);
        DisksyncResult push = await _lab.PushAsync(image, _lab.Name("vm.img"));
        Assert.True(push.ExitCode == 0, push.ToString());
    }

    [Fact]
    public async Task A_source_that_is_trusted_no_longer_is_refused_by_the_receiver_that_runs()
    {
        string image = _lab.Image();
        await _lab.StartReceiverAsync();
        DisksyncResult push = await _lab.PushAsync(image, _lab.Name("vm.img"));
        Assert.True(push.ExitCode == 0, push.ToString());

        await TlsLab.RunAsync("trust", "--remove", "source", "--keys", _lab.FarKeys);
        DisksyncResult refused = await _lab.PushAsync(image, _lab.Name("vm.img"));
        Assert.True(refused.ExitCode == 6, refused.ToString());
        Assert.Contains(_lab.NearFingerprint, refused.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);
        string advice = refused.JsonError.GetProperty("advice").GetString()!;
        Assert.Contains(advice, _lab.Said, StringComparison.Ordinal);

        // What the advice says to run is what helps.
        string command = advice.Split('\'').Single(part => part.StartsWith("disksync trust ", StringComparison.Ordinal));
        await TlsLab.RunAsync(command.Split(' ')[1..]);
        DisksyncResult again = await _lab.PushAsync(image, _lab.Name("vm.img"));
        Assert.True(again.ExitCode == 0, again.ToString());
    }

    [Fact]
    public async Task Plain_TCP_needs_the_word_of_both_sides_and_is_warned_of_each_time()
    {
        string image = _lab.Image();
        await _lab.StartReceiverAsync("tcp:127.0.0.1:0", "--insecure");
        Assert.Contains("--insecure: whoever reaches tcp:127.0.0.1", _lab.Said, StringComparison.Ordinal);

        DisksyncResult tls = await _lab.PushAsync(image, _lab.Name("vm.img"));
        Assert.True(tls.ExitCode == 5, tls.ToString());
        Assert.Contains("speaks plain TCP", tls.JsonError.GetProperty("message").GetString(), StringComparison.Ordinal);

        DisksyncResult push = await _lab.PushAsync(image, _lab.Name("vm.img"), "--insecure", "--quiet");
        Assert.True(push.ExitCode == 0, push.ToString());
        Assert.Contains("\"event\":\"warning\"", push.Error, StringComparison.Ordinal);
        Assert.Contains("in the clear", push.Error, StringComparison.Ordinal);
        Tool.Run("diffutils", "cmp", image, Path.Join(_lab.Root, "vm.img"));
    }

    [Fact]
    public async Task A_push_whose_link_is_cut_goes_on_from_what_is_durable()
    {
        string image = _lab.Image();
        await _lab.StartReceiverAsync();
        using (TcpRelay relay = new(_lab.Port, cutAfter: 6 << 20))
        {
            DisksyncResult cut = await _lab.PushAsync(image, $"disksync://127.0.0.1:{relay.Port}/vm.img", "--compress", "never");
            Assert.True(cut.ExitCode == 5, cut.ToString());
            Assert.False(File.Exists(Path.Join(_lab.Root, "vm.img")));
        }

        DisksyncResult again = await _lab.PushAsync(image, _lab.Name("vm.img"), "--compress", "never");
        Assert.True(again.ExitCode == 0, again.ToString());
        Tool.Run("diffutils", "cmp", image, Path.Join(_lab.Root, "vm.img"));
    }

    [Fact]
    public async Task A_machine_is_handed_over_over_TLS_and_only_hooks_of_the_receiver_are_run()
    {
        string image = _lab.Image();
        string resumed = _lab.Folder.File("resumed");
        string command = _lab.Folder.File("command");
        await _lab.StartReceiverAsync("tcp:127.0.0.1:0", "--hook", $"start={HandOverLab.Note(resumed)}");
        string[] migrate = ["migrate", image, _lab.Name("vm.img"), "--keys", _lab.NearKeys, "--max-downtime", "600", "--json"];

        DisksyncResult refused = await DisksyncProcess.RunAsync([.. migrate, "--resume", HandOverLab.Note(command)]);
        Assert.True(refused.ExitCode == 6, refused.ToString());
        Assert.False(File.Exists(command));

        DisksyncResult moved = await DisksyncProcess.RunAsync([.. migrate, "--resume", "start"]);
        Assert.True(moved.ExitCode == 0, moved.ToString());
        Tool.Run("diffutils", "cmp", HandOverLab.Ceded(image), Path.Join(_lab.Root, "vm.img"));
        Assert.True(File.Exists(resumed));
    }

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Openssl_finds_TLS_1_3_and_no_older_version_with_our_key(string version)
    {
        await _lab.StartReceiverAsync();
        (int code, string output) = await SClientAsync([], version);
        if (version == "-tls1_2")
        {
            Assert.NotEqual(0, code);
            Assert.Contains("protocol version", output, StringComparison.Ordinal);
            Assert.DoesNotContain("DiskSync", output, StringComparison.Ordinal);
            return;
        }

        Assert.Contains("New, TLSv1.3, Cipher is TLS_", output, StringComparison.Ordinal);
        string certificate = _lab.Folder.File("seen.crt");
        await File.WriteAllTextAsync(certificate, output[output.IndexOf("-----BEGIN", StringComparison.Ordinal)..output.IndexOf("-----END", StringComparison.Ordinal)] + "-----END CERTIFICATE-----\n");
        string seen = Tool.Run(
            "openssl", "sh", "-c",
            $"openssl x509 -in {certificate} -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64");
        Assert.Equal(_lab.FarFingerprint, "SHA256:" + seen.TrimEnd('='));
    }

    [Fact]
    public async Task A_source_without_a_certificate_is_told_why_it_is_refused()
    {
        await _lab.StartReceiverAsync();

        (_, string output) = await SClientAsync(Greeting(), "-tls1_3");

        Assert.Contains("has shown no key", output, StringComparison.Ordinal);
        Assert.Contains("has shown no key", _lab.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_with_a_certificate_is_told_its_fingerprint_and_nothing_of_the_receivers_images()
    {
        string stranger = _lab.Folder.File("stranger");
        string key = (await TlsLab.RunAsync("keygen", "--keys", stranger, "--json")).Json.GetProperty("fingerprint").GetString()!;
        await _lab.StartReceiverAsync();

        (_, string output) = await SClientAsync(
            Greeting(), "-tls1_3", "-cert", $"{stranger}/host.crt", "-key", $"{stranger}/host.key");

        Assert.Contains(key, output, StringComparison.Ordinal);
        Assert.Contains("does not trust", output, StringComparison.Ordinal);
    }

    // What a push says first.
    private static byte[] Greeting()
    {
        ArrayBufferWriter<byte> greeting = new();
        Preamble.Write(greeting);
        new FrameWriter().Write(greeting, FrameHeader.NoImage, new Hello(Guid.NewGuid(), 0, 0, WireLimits.MaxBody, "openssl", "test"));
        return greeting.WrittenSpan.ToArray();
    }

    private async Task<(int Code, string Output)> SClientAsync(byte[] input, params string[] options)
    {
        using Process client = Tool.Start(
            "openssl", "openssl", ["s_client", "-connect", $"127.0.0.1:{_lab.Port}", "-ign_eof", .. options]);
        Task<string> error = client.StandardError.ReadToEndAsync();
        Task<string> output = new StreamReader(client.StandardOutput.BaseStream, Encoding.Latin1).ReadToEndAsync();
        await client.StandardInput.BaseStream.WriteAsync(input);
        await client.StandardInput.BaseStream.FlushAsync();
        using CancellationTokenSource patience = new(DisksyncProcess.DefaultTimeout);
        await client.WaitForExitAsync(patience.Token);
        return (client.ExitCode, await output + await error);
    }
}
