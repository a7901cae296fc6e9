using DiskSync.Nbd.Client;

namespace DiskSync.Nbd.Tests;

/// <summary>URIs, by the examples of the NBD URI specification and against those that mean nothing.</summary>
public sealed class NbdUriTests
{
    [Theory]
    [InlineData("nbd://example.com/disk", "example.com", 10809, "disk")]
    [InlineData("nbd://example.com/", "example.com", 10809, "")]
    [InlineData("NBD://example.com", "example.com", 10809, "")]
    [InlineData("nbd://example.com//disk", "example.com", 10809, "/disk")]
    [InlineData("nbd://example.com:1234/hello%20world", "example.com", 1234, "hello world")]
    [InlineData("nbds://[2001:db8::1]:99/a/b", "2001:db8::1", 99, "a/b")]
    [InlineData("nbd://[::1]", "::1", 10809, "")]
    public void Tcp(string text, string host, int port, string name)
    {
        NbdUri uri = NbdUri.Parse(text);
        Assert.Equal((host, port, name, null), (uri.Host, uri.Port, uri.ExportName, uri.SocketPath));
        Assert.Equal(text.StartsWith("nbds", StringComparison.Ordinal), uri.IsTls);
        Assert.Equal(host, uri.ServerName);
    }

    [Theory]
    [InlineData("nbd+unix:///disk?socket=/run/s%26t", "/run/s&t", "disk", false)]
    [InlineData("nbds+unix:///?socket=nbd.sock", "nbd.sock", "", true)]
    [InlineData("nbd+unix://?socket=%00/abstract", "\0/abstract", "", false)]
    public void Unix_sockets(string text, string socket, string name, bool isTls)
    {
        NbdUri uri = NbdUri.Parse(text);
        Assert.Equal((socket, name, isTls, null), (uri.SocketPath, uri.ExportName, uri.IsTls, uri.Host));
        Assert.Equal("localhost", uri.ServerName);
    }

    [Fact]
    public void Certificates_belong_to_an_encrypted_connection()
    {
        NbdUri uri = NbdUri.Parse("nbds://host/x?tls-certificates=/etc/pki&tls-hostname=vm.example&tls-type=x509&tls-verify-peer=1");
        Assert.Equal(("/etc/pki", "vm.example"), (uri.CertificateFolder, uri.ServerName));
    }

    [Theory]
    [InlineData("http://example.com/")]
    [InlineData("nbd:example.com")]
    [InlineData("nbd:///disk")]
    [InlineData("nbd://host:0/")]
    [InlineData("nbd://host:65536/")]
    [InlineData("nbd://host:/x?socket=/s")]
    [InlineData("nbd://[::1/")]
    [InlineData("nbd://[::1]x/")]
    [InlineData("nbd://user@host/")]
    [InlineData("nbd://host/a%00b")]
    [InlineData("nbd://host/x#y")]
    [InlineData("nbd://host/?tls-certificates=/etc/pki")]
    [InlineData("nbds://host/?tls-verify-peer=0")]
    [InlineData("nbds://host/?tls-psk-file=/etc/psk")]
    [InlineData("nbds://host/?tls-type=anon")]
    [InlineData("nbd+unix:///disk")]
    [InlineData("nbd+unix:///disk?socket=")]
    [InlineData("nbd+unix:///disk?socket=/a&socket=/b")]
    [InlineData("nbd+unix://host/disk?socket=/s")]
    [InlineData("nbd+vsock:///")]
    public void What_means_nothing_is_refused(string text) => Assert.Throws<FormatException>(() => NbdUri.Parse(text));
}
