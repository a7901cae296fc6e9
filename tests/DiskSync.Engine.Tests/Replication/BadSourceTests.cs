using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Numerics;
using System.Text;
using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.Engine.Transports;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>What a receiver makes of a source that does not keep to the protocol: a clear error, and never a sealed image.</summary>
public sealed class BadSourceTests : IDisposable
{
    private const int Block = 64 << 10;
    private static readonly ConnectionOptions Short = new()
    {
        PingInterval = TimeSpan.FromMilliseconds(100),
        SilenceLimit = TimeSpan.FromSeconds(1),
        HandshakeTimeout = TimeSpan.FromSeconds(1),
    };

    private SessionLab _lab = new();
    private ITransport _near;
    private Task _serving;

    public BadSourceTests()
    {
        (_near, ITransport far) = InMemoryTransport.CreatePair();
        _serving = _lab.ServeAsync(far);
    }

    public static TheoryData<string> Unopened { get; } =
        ["blocks", "checkpoint", "verify", "seal", "sub-hashes", "map", "close"];

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Silence_ends_the_connection()
    {
        UseShortLimits();
        await AssertTransportAsync("nothing was heard");
    }

    [Fact]
    public async Task Silence_after_the_preamble_ends_the_connection()
    {
        UseShortLimits();
        Preamble.Write(_near.Output);
        await _near.Output.FlushAsync();
        await AssertTransportAsync("nothing was heard");
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "SSH-2.0")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /")]
    [InlineData("\0\u0001\u0002\u0003\u0004\u0005\u0006\a\b\t\n\u000b\f\r\u000e\u000f", "broke the protocol")]
    public async Task Another_protocol_is_named_by_its_first_bytes(string greeting, string shown)
    {
        await _near.Output.WriteAsync(Encoding.Latin1.GetBytes(greeting));
        await AssertTransportAsync(shown);
    }

    [Fact]
    public async Task A_source_that_closes_at_once_is_reported()
    {
        await _near.DisposeAsync();
        await AssertTransportAsync("closed");
    }

    [Fact]
    public async Task A_frame_over_the_cap_is_refused_before_its_body_comes()
    {
        Preamble.Write(_near.Output);
        await WriteFrameAsync(type: 1, length: WireLimits.MaxBody + 1u, body: []);
        await AssertTransportAsync("broke the protocol");
    }

    [Fact]
    public async Task An_unknown_message_is_refused()
    {
        Preamble.Write(_near.Output);
        await WriteFrameAsync(type: 0x7777, length: 4, body: new byte[4]);
        await AssertTransportAsync("broke the protocol");
    }

    [Fact]
    public async Task A_message_before_the_greeting_is_refused()
    {
        Preamble.Write(_near.Output);
        new FrameWriter().Write(_near.Output, 0, new Verify(1));
        await _near.Output.FlushAsync();
        await AssertTransportAsync("instead of Hello");
    }

    [Fact]
    public async Task A_source_that_takes_no_answers_is_given_up()
    {
        // Requests whose answers fill the pipe; none of them is ever read.
        UseShortLimits();
        await using Connection peer = await RawPeer.GreetAsync(_near);
        await RawPeer.OpenImageAsync(peer, 1L << 40);
        Task flood = Task.Run(async () =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                await peer.SendAsync(0, new MapRequest(Hash256.Unknown, 0, 0, 1), CancellationToken.None);
            }
        });
        await AssertTransportAsync("nothing was taken");
        await Assert.ThrowsAnyAsync<DiskSyncException>(() => flood);
    }

    [Theory]
    [MemberData(nameof(Unopened))]
    public async Task A_message_for_an_image_that_is_not_open_is_refused(string what)
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        if (what == "blocks")
        {
            byte[] content = SampleImage.Noise(1, Block);
            await SendBlockAsync(peer, 1, Blake3.Hash(content), content, image: 3);
        }
        else
        {
            await peer.SendAsync(3, UnopenedMessage(what), CancellationToken.None);
        }

        await AssertTransportAsync("not open");
    }

    [Fact]
    public async Task A_message_that_only_a_destination_sends_is_refused()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        await peer.SendAsync(FrameHeader.NoImage, RawPeer.WelcomeTo(RawPeer.Hello), CancellationToken.None);
        await AssertTransportAsync("which a source does not send");
    }

    [Fact]
    public async Task A_hand_over_to_a_receiver_that_takes_none_is_refused()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        await peer.SendAsync(FrameHeader.NoImage, new Prepare(Guid.NewGuid(), 1, [new ImageRoot(0, Blake3.Hash([1]))], "no-such-hook"), CancellationToken.None);
        await _serving.WaitAsync(SessionLab.Patience);
        Assert.Equal(FailureKind.Preflight, _lab.ReceiverFailure!.Kind);
    }

    [Theory]
    [InlineData(0, 65536)]
    [InlineData(-1, 65536)]
    [InlineData(100, 0)]
    [InlineData(100, 5000)]
    [InlineData(100, 8 << 20)]
    public async Task A_geometry_outside_the_limits_is_refused(long length, uint granularity)
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        await peer.SendAsync(
            0,
            new OpenImage("vm.img", (ulong)length, granularity, OpenFlags.None, BaseChoice.None, string.Empty, Hash256.Unknown, uint.MaxValue, string.Empty),
            CancellationToken.None);
        await _serving.WaitAsync(SessionLab.Patience);
        Assert.True(_lab.ReceiverFailure!.Kind is FailureKind.Preflight or FailureKind.Transport, _lab.ReceiverFailure.Message);
        Assert.Empty(Directory.GetFiles(_lab.Root));
    }

    [Fact]
    public async Task More_blocks_than_a_session_may_have_are_refused_with_a_granularity_that_would_do()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        await RefusedAsync(peer, 0, BlockGeometry.MaxLength, 4096, "--granularity 4M");
        Assert.Empty(Directory.GetFiles(_lab.Root));
    }

    [Fact]
    public async Task The_blocks_of_all_open_images_are_counted_together()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        const long Largest = WireLimits.MaxImageBlocks * 4096;
        await SendOpenAsync(peer, 0, Largest, 4096);
        Assert.IsType<ImageReady>((await peer.ReceiveAsync(CancellationToken.None)).Message);
        await SendOpenAsync(peer, 1, Largest - 4096, 4096);
        Assert.IsType<ImageReady>((await peer.ReceiveAsync(CancellationToken.None)).Message);
        await RefusedAsync(peer, 2, 8192, 4096, "--granularity 8K");
    }

    [Theory]
    [InlineData(1L << 40, 4 << 10)]
    [InlineData(16L << 40, 64 << 10)]
    public void Large_images_of_the_granularities_that_suit_them_are_taken_even_two_at_a_time(long length, int granularity)
    {
        BlockGeometry geometry = new(length, granularity);
        BlockBudget.Check("an image", geometry, geometry.BlockCount);
    }

    [Fact]
    public async Task A_block_whose_bytes_were_changed_on_the_way_is_refused()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        ImageReady ready = await RawPeer.OpenImageAsync(peer, 4 * Block);
        byte[] content = SampleImage.Noise(1, Block);
        Hash256 hash = Blake3.Hash(content);
        content[1000] ^= 0x10;
        await SendBlockAsync(peer, ready.Fence, hash, content);
        await AssertTransportAsync("arrived damaged");
    }

    [Fact]
    public async Task A_copy_that_was_not_read_back_is_not_sealed()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        ImageReady ready = await RawPeer.OpenImageAsync(peer, Block);
        byte[] content = SampleImage.Noise(1, Block);
        await SendBlockAsync(peer, ready.Fence, Blake3.Hash(content), content);
        Assert.IsType<BatchAck>((await peer.ReceiveAsync(CancellationToken.None)).Message);
        await peer.SendAsync(0, new Seal(0, Blake3.Hash([1])), CancellationToken.None);
        await AssertTransportAsync("not read back");
    }

    [Fact]
    public async Task A_copy_with_another_root_is_not_sealed()
    {
        await using Connection peer = await RawPeer.GreetAsync(_near);
        await RawPeer.OpenImageAsync(peer, Block);
        await peer.SendAsync(0, new Verify(1), CancellationToken.None);
        Assert.IsType<Verified>((await peer.ReceiveAsync(CancellationToken.None)).Message);
        await peer.SendAsync(0, new Seal(0, Blake3.Hash([1])), CancellationToken.None);
        await _serving.WaitAsync(SessionLab.Patience);
        Assert.Contains("not sealed", _lab.ReceiverFailure!.Message, StringComparison.Ordinal);
        AssertNotSealed();
    }

    [Fact]
    public async Task An_end_that_counts_other_frames_is_refused()
    {
        Preamble.Write(_near.Output);
        FrameWriter writer = new();
        writer.Write(_near.Output, FrameHeader.NoImage, RawPeer.Hello);
        byte[] count = new byte[8];
        count[0] = 7;
        await WriteFrameAsync((ushort)FrameType.End, 8, count, sequence: 1);
        await AssertTransportAsync("says it sent 7 frames");
    }

    [Fact]
    public async Task A_source_that_closes_after_any_frame_never_leaves_a_sealed_image_and_can_come_back()
    {
        byte[] content = SampleImage.Noise(1, 5 * Block);
        using SessionLab lab = new();
        lab.Options = lab.Options with { Workers = 1, MaxBatches = 1 };
        string image = lab.Source("a.img", content);
        TransferRequest NoBase(TransferRequest r) => r with { Base = BaseRequest.None };
        DelayingProxy whole = new();
        await lab.PushAsync(image, wire: whole, with: NoBase);
        IReadOnlyList<long> cuts = FrameCuts.Of(whole.ForwardLog);
        Assert.True(cuts.Count > 8, $"{cuts.Count} frames");

        // Without the last one: once Seal has arrived the image is sealed.
        foreach (long cut in cuts.SkipLast(1).SelectMany(c => new[] { c, c + 5 }).Prepend(3))
        {
            lab.EmptyRoot();
            DiskSyncException failure = await Assert.ThrowsAnyAsync<DiskSyncException>(
                () => lab.PushAsync(image, wire: new DelayingProxy(cutAfter: cut), with: NoBase));
            Assert.Equal(FailureKind.Transport, failure.Kind);
            Assert.Equal(FailureKind.Transport, lab.ReceiverFailure!.Kind);
            Assert.False(File.Exists(lab.Target()), $"sealed after {cut} bytes");
            Assert.False(File.Exists(lab.Target("vm.img.seal")));
        }

        await lab.PushAsync(image, with: NoBase);
        lab.AssertTarget(content);
    }

    private static async Task SendOpenAsync(Connection peer, ushort image, long length, uint granularity) => await peer.SendAsync(
        image,
        new OpenImage($"{image}.img", (ulong)length, granularity, OpenFlags.None, BaseChoice.None, string.Empty, Hash256.Unknown, uint.MaxValue, string.Empty),
        CancellationToken.None);

    private async Task RefusedAsync(Connection peer, ushort image, long length, uint granularity, string advice)
    {
        await SendOpenAsync(peer, image, length, granularity);
        await _serving.WaitAsync(SessionLab.Patience);
        Assert.Equal(FailureKind.Preflight, _lab.ReceiverFailure!.Kind);
        Assert.Contains(advice, _lab.ReceiverFailure.Advice, StringComparison.Ordinal);
    }

    private void UseShortLimits()
    {
        _lab.Dispose();
        _lab = new SessionLab(limits: Short);
        (_near, ITransport far) = InMemoryTransport.CreatePair(bufferBytes: 64 << 10);
        _serving = _lab.ServeAsync(far);
    }

    private static Message UnopenedMessage(string what) => what switch
    {
        "checkpoint" => new Checkpoint(1),
        "verify" => new Verify(1),
        "seal" => new Seal(0, Blake3.Hash([1])),
        "sub-hashes" => new SubHashRequest([1]),
        "map" => new MapRequest(Hash256.Unknown, 0, 0, 1),
        _ => new CloseImage(true),
    };

    private static async Task SendBlockAsync(Connection peer, ulong fence, Hash256 hash, byte[] content, ushort image = 0)
    {
        using BlocksWriter batch = new();
        batch.Begin(fence, 1, 1);
        Assert.True(batch.TryAdd(BlockKind.Raw, 0, hash, content));
        await peer.SendBlocksAsync(image, batch, CancellationToken.None);
    }

    private async Task WriteFrameAsync(ushort type, uint length, byte[] body, uint sequence = 0)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(6), FrameHeader.NoImage);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), sequence);
        uint crc = uint.MaxValue;
        foreach (byte b in header.AsSpan(0, 12).ToArray().Concat(body))
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), ~crc);
        await _near.Output.WriteAsync(header);
        await _near.Output.WriteAsync(body);
    }

    private async Task AssertTransportAsync(string words)
    {
        await _serving.WaitAsync(SessionLab.Patience);
        Assert.NotNull(_lab.ReceiverFailure);
        Assert.Equal(FailureKind.Transport, _lab.ReceiverFailure.Kind);
        Assert.Contains(words, _lab.ReceiverFailure.Message, StringComparison.Ordinal);
        AssertNotSealed();
    }

    private void AssertNotSealed()
    {
        Assert.False(File.Exists(_lab.Target()));
        Assert.Empty(Directory.GetFiles(_lab.Root, "*.seal"));
    }
}
