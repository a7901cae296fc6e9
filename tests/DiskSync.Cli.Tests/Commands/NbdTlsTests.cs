using DiskSync.Engine;
using DiskSync.TestSupport;

namespace DiskSync.Cli.Tests.Commands;

/// <summary><c>disksync export</c> on TCP with TLS: by disksync's own keys, and by certificates for other programs.</summary>
public sealed class NbdTlsTests : ImageFiles
{
    private readonly int _port = FreePort.Take();

    private string Near => Folder.File("near");

    private string Far => Folder.File("far");

    [Fact]
    public async Task Hosts_that_trust_each_other_need_no_certificates()
    {
        string near = await KeygenAsync(Near);
        string far = await KeygenAsync(Far);
        using DisksyncProcess export = await StartAsync("--keys", Far);
        string uri = $"nbds://127.0.0.1:{_port}/image.img";
        string copy = Folder.File("copy");

        // Neither side knows the other yet; then only this one does; then both.
        AssertFailure(await DisksyncProcess.RunAsync("push", uri, copy, "--keys", Near), (int)FailureKind.Preflight, "not known", "disksync trust");
        Assert.Equal(0, (await DisksyncProcess.RunAsync("trust", "127.0.0.1", far, "--keys", Near)).ExitCode);
        DisksyncResult refused = await DisksyncProcess.RunAsync("push", uri, copy, "--keys", Near);
        AssertFailure(refused, (int)FailureKind.Source, uri, "keygen");
        Assert.Equal(0, (await DisksyncProcess.RunAsync("trust", "near", near, "--keys", Far)).ExitCode);
        DisksyncResult push = await DisksyncProcess.RunAsync("push", uri, copy, "--keys", Near);
        Assert.True(push.ExitCode == 0, push.ToString());
        Assert.Equal(Now, await File.ReadAllBytesAsync(copy));

        // The key folder may stand in the URI, for commands without --keys; and it is written, too.
        DisksyncResult verify = await DisksyncProcess.RunAsync("verify", $"{uri}?tls-certificates={Near}", copy);
        Assert.True(verify.ExitCode == 0, verify.ToString());
        DisksyncResult back = await DisksyncProcess.RunAsync("push", BasePath, uri, "--inplace", "--keys", Near);
        Assert.True(back.ExitCode == 0, back.ToString());
        Tool.Run("diffutils", "cmp", BasePath, ImagePath);

        // In the clear nobody gets anything.
        AssertFailure(await DisksyncProcess.RunAsync("map", $"nbd://127.0.0.1:{_port}/image.img"), (int)FailureKind.Source, "nbds in place of nbd");
        Assert.NotEqual(0, Tool.TryRun("libnbd-bin", "nbdinfo", $"nbd://127.0.0.1:{_port}/image.img").Code);

        // A server with another key than the one that is trusted.
        Assert.Equal(0, (await DisksyncProcess.RunAsync("trust", "--remove", "127.0.0.1", "--keys", Near)).ExitCode);
        Assert.Equal(0, (await DisksyncProcess.RunAsync("trust", "127.0.0.1", near, "--keys", Near)).ExitCode);
        AssertFailure(await DisksyncProcess.RunAsync("push", uri, Folder.File("other"), "--keys", Near), (int)FailureKind.Source, "trust");
    }

    [Fact]
    public async Task Other_programs_come_with_certificates()
    {
        string certificates = CertificateFolder.Make(Folder.File("pki"));
        string strange = CertificateFolder.Make(Folder.File("strange"));
        using DisksyncProcess export = await StartAsync("--tls-certificates", certificates);
        string uri = $"nbds://localhost:{_port}/image.img?tls-certificates={certificates}";
        Assert.Contains("with TLS", Tool.Run("libnbd-bin", "nbdinfo", uri), StringComparison.Ordinal);
        string copy = Folder.File("copy");
        Tool.Run("libnbd-bin", "nbdcopy", uri, copy);
        Assert.Equal(Now, await File.ReadAllBytesAsync(copy));
        DisksyncResult verify = await DisksyncProcess.RunAsync("verify", uri, copy);
        Assert.True(verify.ExitCode == 0, verify.ToString());
        AssertFailure(
            await DisksyncProcess.RunAsync("map", uri.Replace(certificates, strange, StringComparison.Ordinal)),
            (int)FailureKind.Source, "certificates of one authority");
        AssertFailure(await DisksyncProcess.RunAsync("map", uri.Replace(certificates, Folder.File("none"), StringComparison.Ordinal)), (int)FailureKind.Preflight, "ca-cert.pem");
    }

    [Fact]
    public async Task Without_a_key_nothing_is_served_on_tcp()
    {
        string[] listen = ["export", ImagePath, "--listen", $"tcp:127.0.0.1:{_port}"];
        AssertFailure(await DisksyncProcess.RunAsync([.. listen, "--keys", Near]), (int)FailureKind.Preflight, "no key", "disksync keygen");
        AssertFailure(await DisksyncProcess.RunAsync([.. listen, "--tls-certificates", Near]), (int)FailureKind.Preflight, "ca-cert.pem");
        AssertFailure(await DisksyncProcess.RunAsync([.. listen, "--tls-certificates", Near, "--insecure"]), (int)FailureKind.Usage, "exclude each other");
    }

    private async Task<DisksyncProcess> StartAsync(params string[] options)
    {
        // The Unix socket tells when it listens, and is open to this user without TLS.
        string socket = Folder.File("s");
        DisksyncProcess process = DisksyncProcess.Start(["export", ImagePath, "--listen", $"tcp:127.0.0.1:{_port}", "--listen", $"unix:{socket}", .. options]);
        try
        {
            await UntilAsync(() => File.Exists(socket) || process.Process.HasExited);
            Assert.True(File.Exists(socket), "export has ended");
            Tool.Run("libnbd-bin", "nbdinfo", $"nbd+unix:///?socket={socket}");
            return process;
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    private static async Task<string> KeygenAsync(string folder) =>
        (await DisksyncProcess.RunAsync("keygen", "--keys", folder, "--json")).Json.GetProperty("fingerprint").GetString()!;
}
