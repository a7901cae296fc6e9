using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DiskSync.Engine;
using DiskSync.Engine.Peers;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.Peers;
using DiskSync.TestSupport;

namespace DiskSync.Service.Tests.Data;

/// <summary>Who is let in over TCP, who is not, and what both sides are told.</summary>
public sealed class DataListenerTests : IDisposable
{
    private readonly ListenerLab _lab = new();

    public void Dispose() => _lab.DisposeAsync().AsTask().GetAwaiter().GetResult();

    [Theory]
    [InlineData("tcp:127.0.0.1:0", "127.0.0.1")]
    [InlineData("tcp:[::1]:0", "::1")]
    [InlineData("tcp::0", "127.0.0.1")]
    [InlineData("tcp::0", "::1")]
    public async Task A_push_over_TLS_arrives(string where, string host)
    {
        _lab.Trust();
        await _lab.ListenAsync(where: where);
        PeerName receiver = PeerName.Of(host, _lab.Port)!;
        if (host == "::1")
        {
            _lab.SourcePeers.Add(new PeerEntry(receiver.WithoutPort, _lab.ReceiverFingerprint));
        }

        await _lab.PushAsync(_lab.Credentials(), RandomNumberGenerator.GetBytes((3 << 20) + 5), receiver);

        Assert.Equal(1, _lab.Served);
        Assert.Empty(_lab.Warnings);
    }

    [Fact]
    public async Task A_source_knows_the_receiver_by_its_fingerprint_over_TLS_and_by_nothing_without()
    {
        _lab.Trust();
        await _lab.ListenAsync();
        await using ITransport transport = await TcpTransport.ConnectAsync(_lab.Receiver, _lab.Credentials(), CancellationToken.None);
        Assert.Equal(_lab.ReceiverFingerprint.Text, transport.PeerIdentity);

        await using ITransport plain = await TcpTransport.ConnectAsync(_lab.Receiver, null, CancellationToken.None);
        Assert.Empty(plain.PeerIdentity);
    }

    [Fact]
    public async Task A_source_that_is_trusted_too_cannot_take_up_the_session_of_another()
    {
        _lab.Trust();
        await _lab.ListenAsync();
        Guid session = Guid.NewGuid();
        await using SourceSession first = await _lab.OpenAsync(_lab.Credentials(), session: session);
        TlsCredentials other = _lab.OtherSource();
        using HostKey key = other.Key;

        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(other, session: session));

        Assert.Contains(_lab.SourceKey.Fingerprint.Text, failure.Message, StringComparison.Ordinal);
        Assert.False(first.Failed.IsCompleted);
        await using SourceSession own = await _lab.OpenAsync(other);
    }

    [Fact]
    public async Task A_source_that_is_not_trusted_hears_why_and_what_to_run_where()
    {
        await _lab.ListenAsync();
        _lab.SourcePeers.Add(new PeerEntry(_lab.Receiver, _lab.ReceiverFingerprint));

        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));

        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains(_lab.SourceKey.Fingerprint.Text, failure.Message, StringComparison.Ordinal);
        Assert.Contains(_lab.ReceiverFingerprint.Text, failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"disksync trust 127.0.0.1 {_lab.SourceKey.Fingerprint} --keys {_lab.ReceiverKeys.Path}", failure.Advice, StringComparison.Ordinal);
        Assert.Contains(failure.Advice, await _lab.WarningAsync("does not trust"), StringComparison.Ordinal);
        Assert.Equal(0, _lab.Served);

        // The next connection asks the file again.
        _lab.ReceiverPeers.Add(new PeerEntry(PeerName.TryParse("source")!, _lab.SourceKey.Fingerprint));
        await _lab.PushAsync(_lab.Credentials(), [1, 2, 3]);
    }

    [Fact]
    public async Task A_damaged_peers_file_admits_nobody_and_its_path_stays_on_its_side()
    {
        _lab.Trust();
        await File.AppendAllTextAsync(_lab.ReceiverKeys.PeersPath, "web1 what\n");
        await _lab.ListenAsync();

        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));

        Assert.Contains("admits nobody", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_lab.ReceiverKeys.PeersPath, failure.Message, StringComparison.Ordinal);
        Assert.Contains(_lab.ReceiverKeys.PeersPath, await _lab.WarningAsync("is damaged"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_with_a_port_does_not_admit_a_source()
    {
        await _lab.ListenAsync();
        _lab.SourcePeers.Add(new PeerEntry(_lab.Receiver, _lab.ReceiverFingerprint));
        _lab.ReceiverPeers.Add(new PeerEntry(PeerName.TryParse("127.0.0.1:7110")!, _lab.SourceKey.Fingerprint));

        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));
        await _lab.WarningAsync("does not trust");
    }

    [Fact]
    public async Task A_receiver_that_is_not_known_is_refused_and_trusted_unseen_only_where_that_is_asked_for()
    {
        _lab.ReceiverPeers.Add(new PeerEntry(PeerName.TryParse("source")!, _lab.SourceKey.Fingerprint));
        await _lab.ListenAsync();

        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains($"trust {_lab.Receiver} {_lab.ReceiverFingerprint}", failure.Advice, StringComparison.Ordinal);
        Assert.Empty(_lab.SourcePeers.Read());

        List<string> told = [];
        await _lab.PushAsync(_lab.Credentials(trustNew: true, told.Add), [1, 2, 3]);
        Assert.Contains(_lab.ReceiverFingerprint.Text, Assert.Single(told), StringComparison.Ordinal);
        Assert.Equal([new PeerEntry(_lab.Receiver, _lab.ReceiverFingerprint)], _lab.SourcePeers.Read());

        // Known now: nothing more to tell, and no option needed.
        await _lab.PushAsync(_lab.Credentials(trustNew: false, told.Add), [4, 5, 6]);
        Assert.Single(told);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_receiver_whose_key_has_changed_is_refused_even_with_trust_on_first_use(bool trustNew)
    {
        await _lab.ListenAsync();
        Fingerprint before = Fingerprint.Of("another key"u8);
        _lab.SourcePeers.Add(new PeerEntry(_lab.Receiver.WithoutPort, before));

        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials(trustNew)));

        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains(before.Text, failure.Message, StringComparison.Ordinal);
        Assert.Contains(_lab.ReceiverFingerprint.Text, failure.Message, StringComparison.Ordinal);
        Assert.Contains("trust --remove 127.0.0.1", failure.Advice, StringComparison.Ordinal);
        Assert.Equal(before, Assert.Single(_lab.SourcePeers.Read()).Fingerprint);
        Assert.Equal(0, _lab.Served);
    }

    [Theory]
    [InlineData(-30, -1)]
    [InlineData(1, 30)]
    public async Task A_key_that_is_trusted_is_trusted_whatever_the_dates_of_its_certificate(int fromDays, int toDays)
    {
        _lab.Trust();
        KeyFolder keys = _lab.SourcePeers.Folder;
        using ECDsa key = _lab.SourceKey.Certificate.GetECDsaPrivateKey()!;
        CertificateRequest request = new("CN=out of its dates", key, HashAlgorithmName.SHA256);
        using X509Certificate2 dated = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(fromDays), DateTimeOffset.UtcNow.AddDays(toDays));
        await File.WriteAllTextAsync(keys.CertificatePath, dated.ExportCertificatePem());
        using HostKey same = HostKey.Load(keys);
        Assert.Equal(_lab.SourceKey.Fingerprint, same.Fingerprint);
        await _lab.ListenAsync();

        await _lab.PushAsync(_lab.Credentials() with { Key = same }, [1, 2, 3]);
    }

    [Fact]
    public async Task A_source_that_speaks_plain_TCP_is_told_that_the_receiver_speaks_TLS()
    {
        _lab.Trust();
        await _lab.ListenAsync();
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(null));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("speaks TLS", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--insecure", failure.Advice, StringComparison.Ordinal);
        await _lab.WarningAsync("speaks plain TCP");
        Assert.Equal(0, _lab.Served);
    }

    [Fact]
    public async Task A_source_that_speaks_TLS_is_told_that_the_receiver_speaks_plain_TCP()
    {
        _lab.Trust();
        await _lab.ListenAsync(o => o with { Key = null });
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));
        Assert.Equal(FailureKind.Transport, failure.Kind);
        Assert.Contains("speaks plain TCP", failure.Message, StringComparison.Ordinal);
        await _lab.WarningAsync("speaks TLS");
        Assert.Equal(0, _lab.Served);
    }

    [Fact]
    public async Task Plain_TCP_serves_whoever_comes_when_both_sides_insist()
    {
        await _lab.ListenAsync(o => o with { Key = null });
        await _lab.PushAsync(null, RandomNumberGenerator.GetBytes(3 << 20));
        Assert.Empty(_lab.Warnings);
    }

    [Fact]
    public async Task A_stranger_who_says_nothing_is_cut_off_and_one_who_says_nonsense_is_named()
    {
        await _lab.ListenAsync(o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        await using (NetworkStream silent = await _lab.ConnectAsync())
        {
            await _lab.WarningAsync("had not said who it is");
            Assert.Equal(0, await ReadToEndAsync(silent));
        }

        await using NetworkStream nonsense = await _lab.ConnectAsync();
        await nonsense.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await _lab.WarningAsync("speaks plain TCP");
        await ReadToEndAsync(nonsense);

        // The first byte of a TLS record and nothing that follows.
        await using NetworkStream half = await _lab.ConnectAsync();
        _lab.Warnings.Clear();
        await half.WriteAsync(new byte[] { 22, 3, 1 });
        await _lab.WarningAsync("had not said who it is");
        Assert.Equal(0, await ReadToEndAsync(half));
    }

    [Fact]
    public async Task Strangers_have_a_limit_and_their_places_are_given_back()
    {
        _lab.Trust();
        await _lab.ListenAsync(o => o with { MaxStrangers = 2 });
        NetworkStream[] strangers = [await _lab.ConnectAsync(), await _lab.ConnectAsync()];

        // Connections are accepted in their order, so the third comes when both places are taken.
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));
        await _lab.WarningAsync("waiting to say who they are");

        foreach (NetworkStream stranger in strangers)
        {
            await stranger.DisposeAsync();
        }

        await RetryAsync(() => _lab.PushAsync(_lab.Credentials(), [1, 2, 3]));
    }

    [Fact]
    public async Task Those_who_are_served_have_a_limit_and_the_next_one_is_told()
    {
        _lab.Trust();
        await _lab.ListenAsync(o => o with { MaxConnections = 1 });
        await using (SourceSession first = await _lab.OpenAsync(_lab.Credentials()))
        {
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.OpenAsync(_lab.Credentials()));
            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains("1 connections already", failure.Message, StringComparison.Ordinal);
            await first.EndAsync(CancellationToken.None);
        }

        await RetryAsync(() => _lab.PushAsync(_lab.Credentials(), [1, 2, 3]));
    }

    [Fact]
    public async Task A_receiver_that_stops_tells_those_it_serves_and_does_not_wait_for_strangers()
    {
        _lab.Trust();
        await _lab.ListenAsync();
        await using NetworkStream stranger = await _lab.ConnectAsync();
        await using SourceSession session = await _lab.OpenAsync(_lab.Credentials());

        await _lab.StopAsync().WaitAsync(ListenerLab.Patience);

        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => session.Failed.WaitAsync(ListenerLab.Patience));
        Assert.Equal(FailureKind.Interrupted, Assert.IsAssignableFrom<DiskSyncException>(failure).Kind);
        Assert.Equal(0, await ReadToEndAsync(stranger));
    }

    [Fact]
    public async Task A_link_that_is_cut_within_TLS_is_a_lost_connection_on_both_sides()
    {
        _lab.Trust();
        await _lab.ListenAsync();
        using TcpRelay relay = new(_lab.Port, cutAfter: 1 << 20);
        PeerName through = PeerName.Of("127.0.0.1", relay.Port)!;

        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
            () => _lab.PushAsync(_lab.Credentials(), RandomNumberGenerator.GetBytes(8 << 20), through));

        Assert.Equal(FailureKind.Transport, failure.Kind);
        await _lab.WarningAsync("lost");
    }

    [Fact]
    public async Task Nothing_of_the_image_can_be_read_on_the_way_over_TLS_and_all_of_it_without()
    {
        byte[] words = Encoding.ASCII.GetBytes("the quick brown fox jumps over the lazy dog, said nobody on this wire; ");
        byte[] content = new byte[2 << 20];
        RandomNumberGenerator.Fill(content);
        words.CopyTo(content.AsSpan(1 << 20));
        _lab.Trust();
        await _lab.ListenAsync();
        using (TcpRelay relay = new(_lab.Port))
        {
            await _lab.PushAsync(_lab.Credentials(), content, PeerName.Of("127.0.0.1", relay.Port)!);
            byte[] seen = relay.Seen;
            Assert.True(seen.Length > content.Length);
            Assert.Equal(-1, seen.AsSpan().IndexOf(words));
            Assert.Equal(-1, seen.AsSpan().IndexOf("DiskSync"u8));
            Assert.Equal(-1, seen.AsSpan().IndexOf("vm.img"u8));
        }

        // The same look finds it where there is something to find.
        await using ListenerLab open = new();
        await open.ListenAsync(o => o with { Key = null });
        using TcpRelay glass = new(open.Port);
        await open.PushAsync(null, content, PeerName.Of("127.0.0.1", glass.Port)!);
        Assert.NotEqual(-1, glass.Seen.AsSpan().IndexOf(words));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_refused_by_name()
    {
        await _lab.ListenAsync();
        await using ListenerLab second = new();
        DiskSyncException failure = await Assert.ThrowsAsync<DiskSyncException>(() => second.ListenAsync(where: $"tcp:127.0.0.1:{_lab.Port}"));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains($"tcp:127.0.0.1:{_lab.Port}", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<int> ReadToEndAsync(NetworkStream stream)
    {
        byte[] buffer = new byte[4096];
        int total = 0;
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer).AsTask().WaitAsync(ListenerLab.Patience)) > 0)
            {
                total += read;
            }
        }
        catch (IOException)
        {
            // Reset: the end all the same.
        }

        return total;
    }

    // A place is given back when the handler has seen the connection's end, a moment after it.
    private static async Task RetryAsync(Func<Task> action)
    {
        using CancellationTokenSource patience = new(ListenerLab.Patience);
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (DiskSyncException) when (!patience.IsCancellationRequested)
            {
                await Task.Delay(20);
            }
        }
    }
}
