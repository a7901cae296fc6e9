using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using DiskSync.Codecs;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Progress;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>What a source makes of a destination that does not keep to the protocol: a clear error, never a hang or a claim of success.</summary>
public sealed class BadDestinationTests : IDisposable
{
    private const int Length = 5 * 64 << 10;
    private static readonly byte[] Content = SampleImage.Noise(1, Length);
    private static readonly ConnectionOptions Short = new()
    {
        PingInterval = TimeSpan.FromMilliseconds(100),
        SilenceLimit = TimeSpan.FromSeconds(1),
        HandshakeTimeout = TimeSpan.FromSeconds(1),
    };

    private readonly SessionLab _lab = new();
    private readonly TaskCompletionSource _givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITransport _near;
    private readonly ITransport _far;

    public BadDestinationTests()
    {
        (_near, _far) = InMemoryTransport.CreatePair();
        _lab.Options = _lab.Options with { Workers = 1, BatchBytes = 1 << 20 };
    }

    public static TheoryData<string, Func<Message, Message?>> Lies { get; } = new()
    {
        { "answered the greeting with", m => m is Welcome w ? w with { SessionId = Guid.NewGuid() } : m },
        { "answered the greeting with", m => m is Welcome ? new EndAck(1) : m },
        { "broke the protocol", m => m is Bases ? new Bases([new BaseOffer("x", ulong.MaxValue, Blake3.Hash([1]), 0)]) : m },
        { "does not have the root", m => m is ImageReady r ? r with { State = TargetState.Resumed } : m },
        { "which nobody asked for", m => m is ImageReady ? new Sealed("x") : m },
        { "contents and found", m => m is Seeds ? new Seeds(1, [2000]) : m },
        { "is not on its way", m => m is BatchAck a ? a with { Batch = a.Batch + 1000 } : m },
        { "does not hold", m => m is BatchAck a ? a with { Refused = [new RefusedBlock(4000, RefusalReason.CopyMismatch)] } : m },
        { "got whole", m => m is BatchAck a ? a with { Refused = [new RefusedBlock(2, RefusalReason.PatchMismatch)] } : m },
        { "answered checkpoint", m => m is DurableAck a ? new DurableAck(a.Number + 1) : m },
        { "disagree about", m => m is Verified v ? v with { Root = Blake3.Hash([7]) } : m },
        { "calls block", m => m is Verified v ? v with { Wrong = [4000] } : m },
        { "which nobody asked for", m => m is Sealed ? new EndAck(1) : m },
    };

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Silence_ends_the_connection() =>
        Assert.Contains("nothing was heard", await FailAsync(Short), StringComparison.Ordinal);

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "SSH-2.0")]
    [InlineData("bash: disksync: command not found\n", "bash: disksync")]
    public async Task Another_protocol_is_named_by_its_first_bytes(string greeting, string shown)
    {
        await _far.Output.WriteAsync(Encoding.ASCII.GetBytes(greeting));
        Assert.Contains(shown, await FailAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_destination_that_closes_at_once_is_reported()
    {
        await _far.DisposeAsync();
        Assert.Contains("closed", await FailAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(WireLimits.MaxBody + 1u)]
    [InlineData(uint.MaxValue)]
    public async Task A_frame_over_the_cap_is_refused_before_its_body_comes(uint length)
    {
        Preamble.Write(_far.Output);
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, length);
        header[4] = 2;
        await _far.Output.WriteAsync(header);
        Assert.Contains("broke the protocol", await FailAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Noise_instead_of_frames_is_refused()
    {
        Preamble.Write(_far.Output);
        await _far.Output.WriteAsync(SampleImage.Noise(4, 1000));
        Assert.Contains("broke the protocol", await FailAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task An_answer_that_cannot_be_true_is_found_out(string words, Func<Message, Message?> lie)
    {
        Task playing = PlayAsync(await TruthAsync(), lie);
        MakeCheckpoints(words == "answered checkpoint");
        Assert.Contains(words, await FailAsync(), StringComparison.Ordinal);
        await playing.WaitAsync(SessionLab.Patience);
    }

    [Theory]
    [InlineData(typeof(Welcome))]
    [InlineData(typeof(Bases))]
    [InlineData(typeof(ImageReady))]
    [InlineData(typeof(BatchAck))]
    [InlineData(typeof(DurableAck))]
    [InlineData(typeof(Verified))]
    [InlineData(typeof(Sealed))]
    public async Task A_destination_that_falls_silent_instead_of_answering_is_given_up(Type answer)
    {
        Task playing = PlayAsync(await TruthAsync(), m => m.GetType() == answer ? null : m);
        MakeCheckpoints(answer == typeof(DurableAck));
        Assert.Contains("nothing was heard", await FailAsync(Short), StringComparison.Ordinal);
        await playing.WaitAsync(SessionLab.Patience);
    }

    [Fact]
    public async Task A_destination_that_closes_after_any_frame_fails_the_push_and_the_next_one_ends_identical()
    {
        _lab.Options = _lab.Options with { MaxBatches = 1, BatchBytes = 64 << 10 };
        string image = _lab.Source("a.img", Content);
        TransferRequest NoBase(TransferRequest r) => r with { Base = BaseRequest.None };
        DelayingProxy whole = new();
        await _lab.PushAsync(image, wire: whole, with: NoBase);
        IReadOnlyList<long> cuts = FrameCuts.Of(whole.BackLog);
        Assert.True(cuts.Count > 8, $"{cuts.Count} frames");
        foreach (long cut in cuts)
        {
            _lab.EmptyRoot();
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
                () => _lab.PushAsync(image, wire: new DelayingProxy(cutBackAfter: cut), with: NoBase));
            Assert.Equal(FailureKind.Transport, failure.Kind);
        }

        await _lab.PushAsync(image, with: NoBase);
        _lab.AssertTarget(Content);
    }

    private async Task<string> FailAsync(ConnectionOptions? limits = null)
    {
        using IBlockDevice source = BlockDevices.OpenSource(_lab.Source("a.img", Content));
        DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(async () =>
        {
            await using SourceSession session = await SourceSession.ConnectAsync(
                _near, Guid.NewGuid(), limits ?? new ConnectionOptions(), null, CancellationToken.None);
            TransferRequest request = new(source, "vm.img", new BlockGeometry(source.Length, 64 << 10));
            await PushRun.RunAsync(session, request, _lab.Options, NoProgress.Instance, CancellationToken.None);
        }).WaitAsync(SessionLab.Patience);
        _givenUp.TrySetResult();
        Assert.Equal(FailureKind.Transport, failure.Kind);
        return failure.Message;
    }

    /// <summary>One batch after the other with a checkpoint between; a short push makes none otherwise, as its proof begins with one.</summary>
    private void MakeCheckpoints(bool wanted) =>
        _lab.Options = wanted ? _lab.Options with { MaxBatches = 1, BatchBytes = 64 << 10, CheckpointBytes = 1 } : _lab.Options;

    private async Task<Hash256> TruthAsync() =>
        (await _lab.PushAsync(_lab.Source("truth.img", Content), "truth.img")).Root;

    /// <summary>Plays a destination that takes everything, but lets a test change or swallow each answer.</summary>
    private async Task PlayAsync(Hash256 root, Func<Message, Message?> lie)
    {
        await using Connection peer = new(_far, new ConnectionOptions());
        try
        {
            await peer.OpenAsync(greeting: null, CancellationToken.None);
            while (true)
            {
                ReceivedFrame frame = await peer.ReceiveAsync(CancellationToken.None);
                Message honest = frame.Message switch
                {
                    null => new BatchAck(BatchOf(frame.Body), []),
                    Hello hello => RawPeer.WelcomeTo(hello),
                    // A sealed image: else nothing would be asked about seeds.
                    ListBases => new Bases([new BaseOffer("base.img", 1 << 20, Blake3.Hash([1]), 0)]),
                    OpenImage => new ImageReady(1, TargetState.Empty, 0, Hash256.Unknown, 0, "vm.img.partial", string.Empty, string.Empty),
                    SeedRequest => new Seeds(1, []),
                    MapRequest map => new MapData(0, map.First, [new HashRun(map.Count, Hash256.Unknown)]),
                    Checkpoint checkpoint => new DurableAck(checkpoint.Number),
                    Verify verify => new Verified(verify.Number, root, 0, [], false),
                    Seal => new Sealed("vm.img"),
                    _ => new EndAck(1),
                };
                if (lie(honest) is not { } answer)
                {
                    // Dead silent: one that still answered pings would be alive, and would be waited for.
                    await _givenUp.Task;
                    return;
                }

                await peer.SendAsync(frame.Image, answer, CancellationToken.None);
            }
        }
        catch (DiskSyncException)
        {
            // The source has given up, as it should.
        }
    }

    private static ulong BatchOf(ReadOnlySequence<byte> body)
    {
        Span<byte> start = stackalloc byte[16];
        body.Slice(0, 16).CopyTo(start);
        return BinaryPrimitives.ReadUInt64LittleEndian(start[8..]);
    }
}
