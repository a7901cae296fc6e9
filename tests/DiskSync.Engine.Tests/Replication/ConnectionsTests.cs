using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Tests.Replication;

public sealed class ConnectionsTests : IDisposable
{
    private const int Length = 24 << 20;
    private readonly SessionLab _lab = new(options: new ReceiverOptions { MaxConnections = 32, Linger = TimeSpan.FromSeconds(60) });
    private readonly ManyWires _wires;
    private readonly byte[] _content = new byte[Length];

    public ConnectionsTests()
    {
        _wires = new ManyWires(_lab);
        new Random(5).NextBytes(_content);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(16)]
    public async Task A_push_over_several_connections_is_one_copy(int count)
    {
        PushResult result = await PushAsync(count);
        _lab.AssertTarget(_content);
        Assert.Equal(count, result.Connections);
        Assert.Equal(0, result.LostConnections);
        Assert.Equal(result.Rounds[0].BlocksScanned, result.Rounds[0].BlocksChanged);
        Assert.Single(result.Rounds);
    }

    [Fact]
    public async Task Where_a_limit_sets_the_pace_the_number_does_not_grow()
    {
        PushResult result = await PushAsync(count: null);
        _lab.AssertTarget(_content);
        Assert.Equal(1, result.Connections);
    }

    [Fact]
    public async Task A_receiver_that_takes_one_connection_gets_one()
    {
        using SessionLab single = new();
        ManyWires wires = new(single);
        string image = single.Source("vm.img", _content);
        PushResult result = await PushAsync(single, wires, image, 4);
        single.AssertTarget(_content);
        Assert.Equal(1, result.Connections);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Connections_that_die_one_after_the_other_cost_no_round(int count)
    {
        _wires.CutEvery = 3 << 20;
        PushResult result = await PushAsync(count);
        _lab.AssertTarget(_content);
        Assert.True(result.LostConnections >= 3, $"{result.LostConnections} were lost");
        Assert.Single(result.Rounds);

        // What was on the way is sent again, not all of it: the round was not begun again.
        Assert.InRange(result.BytesSent, Length, Length * 2L);
    }

    [Fact]
    public async Task A_connection_that_stands_still_holds_nobody_up()
    {
        _wires.StallAfter = 100 << 10;
        PushResult result = await PushAsync(3);
        _lab.AssertTarget(_content);
        Assert.True(result.LostConnections >= 1, "the one that stood still was given up");
    }

    [Fact]
    public async Task A_receiver_that_cannot_be_reached_any_more_ends_the_push_with_the_reason_of_the_loss()
    {
        _wires.CutEvery = 3 << 20;
        _wires.Refuse = true;
        TransportLostException lost = await Assert.ThrowsAsync<TransportLostException>(() => PushAsync(1, TimeSpan.FromMilliseconds(500)));
        Assert.Contains("connection to", lost.Message, StringComparison.Ordinal);

        // Another run takes what the deserted session holds, without waiting for it.
        _wires.CutEvery = long.MaxValue;
        _wires.Refuse = false;
        PushResult again = await PushAsync(1);
        Assert.True(again.Resumed);
        _lab.AssertTarget(_content);
    }

    [Fact]
    public async Task A_session_that_nobody_knows_any_more_cannot_be_joined()
    {
        _wires.CutEvery = 3 << 20;
        _wires.OnCut = () => _lab.Host.CloseAsync().GetAwaiter().GetResult();
        await Assert.ThrowsAsync<TransportLostException>(() => PushAsync(1));
        Assert.False(File.Exists(_lab.Target()));
    }

    public void Dispose()
    {
        _lab.Host.CloseAsync().GetAwaiter().GetResult();
        _lab.Dispose();
    }

    private Task<PushResult> PushAsync(int? count, TimeSpan? patience = null) =>
        PushAsync(_lab, _wires, _lab.Source("vm.img", _content), count, patience);

    private static async Task<PushResult> PushAsync(
        SessionLab lab, ManyWires wires, string image, int? count, TimeSpan? patience = null)
    {
        using IBlockDevice source = BlockDevices.OpenSource(image);
        await using SourceSession session = await SourceSession.ConnectAsync(
            await wires.DialAsync(CancellationToken.None),
            Guid.NewGuid(),
            // Slow enough for all connections to be there long before the end.
            new ConnectionOptions { Limiter = new RateLimiter(10 << 20) },
            null,
            CancellationToken.None,
            new MoreConnections(wires.DialAsync) { Count = count, Patience = patience ?? SessionLab.Patience });
        return await PushRun.RunAsync(
            session,
            new TransferRequest(source, "vm.img", new BlockGeometry(source.Length, 64 << 10)),
            new SenderOptions { Workers = 2, BatchBytes = 256 << 10, MaxBatches = 8 },
            NoProgress.Instance,
            CancellationToken.None).WaitAsync(SessionLab.Patience);
    }
}
