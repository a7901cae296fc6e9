using DiskSync.Nbd.Client;
using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;
using DiskSync.TestSupport;

namespace DiskSync.Nbd.Tests;

/// <summary>STARTTLS with certificates on both sides: our client, our server, libnbd, nbdkit and QEMU, each before the others.</summary>
public sealed class TlsTests : IDisposable
{
    private const int Length = 4 << 20;

    private readonly TempFolder _folder = new();
    private readonly string _certificates;
    private readonly string _strange;

    public TlsTests()
    {
        _certificates = CertificateFolder.Make(_folder.File("pki"));
        _strange = CertificateFolder.Make(_folder.File("strange"));
    }

    [Fact]
    public void Our_client_and_our_server_agree()
    {
        MemoryExport export = new(Length);
        using NbdLab lab = Serve(export);
        using NbdClient client = Connect(lab.Socket, _certificates);
        Assert.True(client.Export.IsTls);
        Assert.True(client.Export.IsStructured);
        byte[] data = SampleImage.Noise(1, Length);
        client.Write(0, data);
        byte[] read = new byte[Length];
        client.Read(0, read);
        Assert.True(read.AsSpan().SequenceEqual(data));
    }

    [Fact]
    public void Real_clients_reach_our_server()
    {
        MemoryExport export = new(Length);
        SampleImage.Noise(2, Length).CopyTo(export.Content, 0);
        using NbdLab lab = Serve(export);
        string uri = $"nbds+unix:///?socket={lab.Socket}&tls-certificates={_certificates}";
        Assert.Contains("newstyle-fixed with TLS", Tool.Run("libnbd-bin", "nbdinfo", uri), StringComparison.Ordinal);
        string copy = _folder.File("copy");
        Tool.Run("libnbd-bin", "nbdcopy", "--connections=4", uri, copy);
        Assert.Equal(export.Content, File.ReadAllBytes(copy));
        Assert.Contains("\"virtual-size\": 4194304", Tool.Run("qemu-utils", "qemu-img", QemuInfo(lab.Socket, _certificates)), StringComparison.Ordinal);
    }

    [Fact]
    public void Real_clients_without_a_certificate_of_the_authority_are_refused()
    {
        using NbdLab lab = Serve(new MemoryExport(Length));

        // GnuTLS takes the certificate of a stranger for none, as its own authority does not sign it; QEMU believes the strangers' authority.
        Assert.NotEqual(0, Tool.TryRun("libnbd-bin", "nbdinfo", $"nbds+unix:///?socket={lab.Socket}&tls-certificates={_strange}").Code);
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-img", QemuInfo(lab.Socket, _strange)).Code);
        string anonymous = Directory.CreateDirectory(_folder.File("anonymous")).FullName;
        File.Copy(Path.Join(_certificates, "ca-cert.pem"), Path.Join(anonymous, "ca-cert.pem"));
        Assert.NotEqual(0, Tool.TryRun("qemu-utils", "qemu-img", QemuInfo(lab.Socket, anonymous)).Code);

        // In the clear not even the list is told.
        Assert.NotEqual(0, Tool.TryRun("libnbd-bin", "nbdinfo", lab.Uri).Code);
        Assert.NotEqual(0, Tool.TryRun("libnbd-bin", "nbdinfo", "--list", lab.Uri).Code);
    }

    [Fact]
    public void Our_client_reaches_nbdkit()
    {
        using NbdServerProcess server = NbdServerProcess.Nbdkit("--tls=require", $"--tls-certificates={_certificates}", "--tls-verify-peer", "memory", $"{Length}");
        using NbdClient client = Connect(server.Socket, _certificates);
        Assert.True(client.Export.IsTls);
        byte[] data = SampleImage.Noise(3, 1 << 20);
        client.Write(0, data, fua: true);
        byte[] read = new byte[data.Length];
        client.Read(0, read);
        Assert.Equal(data, read);
        Refuses(NbdConnectionFailure.Tls, server.Socket, _strange);
        Assert.Equal(NbdOptionReplyType.ErrorTlsRequired, Assert.Throws<NbdRefusedException>(() => Connect(server.Socket, null)).Reason);
    }

    [Fact]
    public void Our_client_reaches_qemu_nbd_over_tcp()
    {
        string image = _folder.File("image.qcow2");
        Tool.Run("qemu-utils", "qemu-img", "create", "-q", "-f", "qcow2", image, $"{Length}");
        int port = FreePort.Take();
        using NbdServerProcess server = NbdServerProcess.QemuNbdOnTcp(
            port, "--object", $"tls-creds-x509,id=tls0,endpoint=server,dir={_certificates},verify-peer=yes", "--tls-creds", "tls0", "--shared=4", "--format", "qcow2", image);
        NbdUri uri = NbdUri.Parse($"nbds://127.0.0.1:{port}/?tls-certificates={_certificates}");
        using (NbdClient client = NbdClient.Connect(
            NbdDialer.For(uri), new NbdClientOptions { Tls = NbdCertificates.Client(_certificates, uri.ServerName), Connections = 3 }))
        {
            client.Write(65536, SampleImage.Noise(4, 65536));
            client.Flush();
            Assert.True(SpinWait.SpinUntil(() => client.Connections == 3, TimeSpan.FromSeconds(20)));
        }

        // A certificate for another name, and one of another authority.
        foreach ((string folder, string name) in ((string, string)[])[(_certificates, "example.com"), (_strange, "127.0.0.1")])
        {
            NbdConnectionException failure = Assert.Throws<NbdConnectionException>(() => NbdClient.Connect(
                NbdDialer.For(uri), new NbdClientOptions { Tls = NbdCertificates.Client(folder, name) }));
            Assert.Equal(NbdConnectionFailure.Tls, failure.Failure);
        }
    }

    [Fact]
    public void A_client_that_our_server_does_not_trust_is_told_so()
    {
        using NbdLab lab = Serve(new MemoryExport(Length));
        File.Copy(Path.Join(_certificates, "ca-cert.pem"), Path.Join(_strange, "ca-cert.pem"), overwrite: true);
        Refuses(NbdConnectionFailure.Tls, lab.Socket, _strange);
        Assert.Contains("TLS", lab.WaitForFailure().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_without_tls_is_not_spoken_to_in_the_clear()
    {
        using NbdLab lab = new(new MemoryExport(Length));
        Assert.Equal(NbdOptionReplyType.ErrorPolicy, Assert.Throws<NbdRefusedException>(() => Connect(lab.Socket, _certificates)).Reason);
        using NbdServerProcess old = NbdServerProcess.Nbdkit("--mask-handshake=0", "memory", $"{Length}");
        Assert.Throws<NbdRefusedException>(() => Connect(old.Socket, _certificates));
    }

    [Fact]
    public void Certificates_that_are_missing_or_broken_are_named()
    {
        File.Delete(Path.Join(_strange, "client-key.pem"));
        Assert.Contains("client-key.pem", Assert.ThrowsAny<IOException>(() => NbdCertificates.Client(_strange, "localhost")).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Join(_strange, "ca-cert.pem"), "nothing");
        Assert.Contains("ca-cert.pem", Assert.ThrowsAny<IOException>(() => NbdCertificates.Server(_strange)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private NbdLab Serve(MemoryExport export) =>
        new(new NbdServerOptions { Tls = NbdCertificates.Server(_certificates), RequiresTls = true }, export);

    private static void Refuses(NbdConnectionFailure failure, string socket, string certificates) =>
        Assert.Equal(failure, Assert.Throws<NbdConnectionException>(() => Connect(socket, certificates)).Failure);

    private static NbdClient Connect(string socket, string? certificates) => NbdClient.Connect(
        NbdDialer.For(NbdUri.Parse($"nbd+unix:///?socket={socket}")),
        new NbdClientOptions { Tls = certificates is null ? null : NbdCertificates.Client(certificates, "localhost") });

    private static string[] QemuInfo(string socket, string certificates) =>
    [
        "info", "--output=json", "--object", $"tls-creds-x509,id=tls0,endpoint=client,dir={certificates}",
        "--image-opts", $"driver=nbd,server.type=unix,server.path={socket},tls-creds=tls0,tls-hostname=localhost",
    ];
}
