using DiskSync.Engine.Blocks;
using DiskSync.Engine.Dirty;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Safety rule 2: one session writes a target, and nothing of an older connection arrives late.</summary>
public sealed class FenceTests : IDisposable
{
    private const int K = 1024;
    private readonly SessionLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Two_sessions_on_one_target_are_refused_and_the_first_goes_on()
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        DelayingProxy wire = new(holdAfter: 300 * K);
        Task<PushResult> first = _lab.PushAsync(image, wire: wire);
        await wire.Holding.WaitAsync(SessionLab.Patience);
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => _lab.PushAsync(image));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("is writing it", failure.Message, StringComparison.Ordinal);
        wire.Release();
        await first;
        _lab.AssertTarget(content);
    }

    [Fact]
    public async Task Two_receivers_on_one_folder_are_kept_apart_by_the_lock()
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        DelayingProxy wire = new(holdAfter: 300 * K);
        Task<PushResult> first = _lab.PushAsync(image, wire: wire);
        await wire.Holding.WaitAsync(SessionLab.Patience);
        using (SessionLab other = new(_lab.Root))
        {
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(() => other.PushAsync(image));
            Assert.Equal(FailureKind.Preflight, failure.Kind);
            Assert.Contains("another run is writing it", failure.Message, StringComparison.Ordinal);
        }

        wire.Release();
        await first;
        _lab.AssertTarget(content);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(700)]
    public async Task Late_bytes_of_the_old_connection_are_not_written_once_the_session_has_reconnected(int heldAfterK)
    {
        byte[] content = SampleImage.Noise(1, 1 << 20);
        string image = _lab.Source("a.img", content);
        Guid session = Guid.NewGuid();
        DelayingProxy slow = new(holdAfter: heldAfterK * K);
        Task<PushResult> first = _lab.PushAsync(image, wire: slow, session: session);
        await slow.Holding.WaitAsync(SessionLab.Patience);
        slow.CutSource();

        // The machine goes on writing; what is still on the wire is old now.
        byte[] newer = SampleImage.Noise(2, 1 << 20);
        string changed = _lab.Source("b.img", newer);
        (ITransport near, ITransport far) = InMemoryTransport.CreatePair();
        Task serving = _lab.ServeAsync(far);
        using IBlockDevice source = BlockDevices.OpenSource(changed);
        await using (SourceSession opened = await SourceSession.ConnectAsync(
            near, session, new ConnectionOptions(), null, CancellationToken.None))
        {
            TransferRequest request = new(source, "vm.img", new BlockGeometry(source.Length, 64 * K));
            using ImageSender sender = await TransferOpener.OpenAsync(
                opened, 0, request, _lab.Options, NoProgress.Instance, CancellationToken.None).WaitAsync(SessionLab.Patience);
            slow.Release();
            await slow.ToDestination.WaitAsync(SessionLab.Patience);
            await sender.RunRoundAsync(1, CopyPhase.BulkCopy, new HashScan(), CancellationToken.None).WaitAsync(SessionLab.Patience);
            await sender.CheckpointAsync(CancellationToken.None);
            ProofResult proof = await ImageProof.ProveAsync(sender, 1, [], CopyPhase.BulkCopy, CancellationToken.None);
            await opened.RequestAsync<Sealed>(0, new Seal(0, proof.Root), CancellationToken.None);
            await opened.EndAsync(CancellationToken.None).WaitAsync(SessionLab.Patience);
        }

        await serving.WaitAsync(SessionLab.Patience);
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => first);
        _lab.AssertTarget(newer);
    }

    [Fact]
    public async Task A_source_that_greets_again_has_its_older_connection_let_go_of_the_target()
    {
        // A link that broke without the destination's noticing: what resumes the guest must not find the image held.
        (ITransport near, ITransport far) = InMemoryTransport.CreatePair();
        Task serving = _lab.ServeAsync(far);
        await using Connection first = await RawPeer.GreetAsync(near);
        await RawPeer.OpenImageAsync(first, 4 * 64 * K);
        string staged = _lab.Target("vm.img.partial");
        Assert.NotEqual(0, Tool.TryRun("util-linux", "flock", ["-n", staged, "true"]).Code);

        (ITransport again, ITransport farAgain) = InMemoryTransport.CreatePair();
        Task servingAgain = _lab.ServeAsync(farAgain);
        await using Connection second = await RawPeer.GreetAsync(again);
        Tool.Run("util-linux", "flock", "-n", staged, "true");
        await Assert.ThrowsAnyAsync<DiskSyncException>(async () => await first.ReceiveAsync(CancellationToken.None));
        await serving.WaitAsync(SessionLab.Patience);
        await again.DisposeAsync();
        await servingAgain.WaitAsync(SessionLab.Patience);
    }

    [Fact]
    public async Task A_batch_with_another_fencing_number_writes_nothing()
    {
        (ITransport near, ITransport far) = InMemoryTransport.CreatePair();
        Task serving = _lab.ServeAsync(far);
        await using Connection peer = await RawPeer.GreetAsync(near);
        ImageReady ready = await RawPeer.OpenImageAsync(peer, 4 * 64 * K);
        using BlocksWriter batch = new();
        batch.Begin(ready.Fence - 1, 1, 1);
        byte[] block = SampleImage.Noise(1, 64 * K);
        Assert.True(batch.TryAdd(BlockKind.Raw, 0, Codecs.Blake3.Hash(block), block));
        await peer.SendBlocksAsync(0, batch, CancellationToken.None);
        PeerAbortedException failure = await Assert.ThrowsAsync<PeerAbortedException>(
            async () => await peer.ReceiveAsync(CancellationToken.None));
        Assert.Equal(FailureKind.Preflight, failure.Kind);
        Assert.Contains("nothing of it was written", failure.Message, StringComparison.Ordinal);
        await serving.WaitAsync(SessionLab.Patience);
        Assert.DoesNotContain(await File.ReadAllBytesAsync(_lab.Target("vm.img.partial")), b => b != 0);
    }
}
