using DiskSync.Engine.Peers;
using DiskSync.Formats.Peers;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Peers;

public sealed class KeyAndPeerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_is_its_owners_alone_and_openssl_computes_the_same_fingerprint()
    {
        KeyFolder keys = Keys("k");
        using HostKey key = HostKey.Create(keys, replace: false);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys.KeyPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(keys.Path));
        string judged = Tool.Run(
            "openssl", "sh", "-c",
            $"openssl x509 -in {keys.CertificatePath} -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64");
        Assert.Equal("SHA256:" + judged.TrimEnd('='), key.Fingerprint.Text);
        Assert.Contains(
            "notAfter=Dec 31 23:59:59 9999 GMT",
            Tool.Run("openssl", "openssl", "x509", "-in", keys.CertificatePath, "-noout", "-enddate"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_usual_folder_is_the_hosts_for_root_and_the_users_own_for_others()
    {
        KeyFolder usual = KeyFolder.Resolve(null);
        Assert.False(usual.IsNamed);
        Assert.Equal("disksync keygen", usual.Command("keygen"));
        Assert.Equal(Environment.IsPrivilegedProcess, usual.Path == "/etc/disksync");
        Assert.EndsWith("/disksync", usual.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_not_replaced_unless_that_is_asked_for()
    {
        KeyFolder keys = Keys("k");
        using HostKey first = HostKey.Create(keys, replace: false);
        Assert.Contains("already", Assert.Throws<DiskSyncException>(() => HostKey.Create(keys, replace: false)).Message, StringComparison.Ordinal);
        using (HostKey same = HostKey.Load(keys))
        {
            Assert.Equal(first.Fingerprint, same.Fingerprint);
        }

        File.SetUnixFileMode(keys.KeyPath, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        using HostKey second = HostKey.Create(keys, replace: true);
        Assert.NotEqual(first.Fingerprint, second.Fingerprint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(keys.KeyPath));
    }

    [Fact]
    public void A_key_that_is_missing_open_to_others_or_not_the_certificates_is_refused_with_what_helps()
    {
        KeyFolder keys = Keys("k");
        Assert.Contains($"disksync keygen --keys {keys.Path}", Assert.Throws<DiskSyncException>(() => HostKey.Load(keys)).Advice, StringComparison.Ordinal);
        HostKey.Create(keys, replace: false).Dispose();

        File.SetUnixFileMode(keys.KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<DiskSyncException>(() => HostKey.Load(keys)).Advice, StringComparison.Ordinal);

        HostKey.Create(Keys("other"), replace: false).Dispose();
        File.SetUnixFileMode(keys.KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Copy(Keys("other").CertificatePath, keys.CertificatePath, overwrite: true);
        Assert.Contains("keygen", Assert.Throws<DiskSyncException>(() => HostKey.Load(keys)).Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_receiver_is_found_by_its_port_first_and_only_hosts_admit_sources()
    {
        PeerStore peers = new(Keys("k"));
        Assert.Empty(peers.Read());
        Assert.True(peers.Add(Entry("backup", 1)));
        Assert.True(peers.Add(Entry("backup:99", 2)));
        Assert.False(peers.Add(Entry("BACKUP", 1)));

        Assert.Equal(Entry("backup:99", 2), peers.FindReceiver(Name("backup:99")));
        Assert.Equal(Entry("backup", 1), peers.FindReceiver(Name("backup:98")));
        Assert.Null(peers.FindReceiver(Name("other:99")));
        Assert.NotNull(peers.FindSource(Key(1)));
        Assert.Null(peers.FindSource(Key(2)));

        Assert.True(peers.Remove(Name("backup")));
        Assert.False(peers.Remove(Name("backup")));
        Assert.Null(peers.FindSource(Key(1)));
        Assert.Equal([Entry("backup:99", 2)], peers.Read());
    }

    [Fact]
    public void A_name_keeps_its_key_until_it_is_removed()
    {
        PeerStore peers = new(Keys("k"));
        peers.Add(Entry("backup", 1));
        DiskSyncException failure = Assert.Throws<DiskSyncException>(() => peers.Add(Entry("backup", 2)));
        Assert.Contains(Key(1).Text, failure.Message, StringComparison.Ordinal);
        Assert.Contains(Key(2).Text, failure.Message, StringComparison.Ordinal);
        Assert.Contains("trust --remove backup", failure.Advice, StringComparison.Ordinal);
        Assert.Equal([Entry("backup", 1)], peers.Read());
    }

    [Fact]
    public void A_file_that_is_damaged_or_open_to_others_trusts_nobody()
    {
        KeyFolder keys = Keys("k");
        PeerStore peers = new(keys);
        peers.Add(Entry("backup", 1));
        File.AppendAllText(keys.PeersPath, "web1 what\n");
        Assert.Contains("line 2", Assert.Throws<DiskSyncException>(() => peers.FindSource(Key(1))).Message, StringComparison.Ordinal);

        File.WriteAllText(keys.PeersPath, $"backup {Key(1)}\n");
        File.SetUnixFileMode(keys.PeersPath, UnixFileMode.UserRead | UnixFileMode.GroupWrite);
        Assert.Contains("written by others", Assert.Throws<DiskSyncException>(() => peers.FindSource(Key(1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_made_at_the_same_time_are_all_kept()
    {
        KeyFolder keys = Keys("k");
        await Parallel.ForAsync(0, 40, (i, _) =>
        {
            new PeerStore(keys).Add(Entry($"host{i}", i));
            return ValueTask.CompletedTask;
        });
        Assert.Equal(40, new PeerStore(keys).Read().Count);
    }

    private static PeerName Name(string text) => PeerName.TryParse(text)!;

    private static Fingerprint Key(int number) => Fingerprint.Of(BitConverter.GetBytes(number));

    private static PeerEntry Entry(string name, int key) => new(Name(name), Key(key));

    private KeyFolder Keys(string name) => KeyFolder.Resolve(_folder.File(name));
}
