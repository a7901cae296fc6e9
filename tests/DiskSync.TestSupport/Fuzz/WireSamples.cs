using System.Buffers;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>One valid sample of everything that travels on the wire; the golden files are made of them, so they do not change.</summary>
public static class WireSamples
{
    /// <summary>The geometry that <see cref="BlocksBody"/> fits: 16 KiB blocks, the last one short.</summary>
    public static BlockGeometry Geometry { get; } = new((40 * 16384) + 5000, 16384);

    private static Guid Id { get; } = new("00112233-4455-6677-8899-aabbccddeeff");

    /// <summary>One message of each type.</summary>
    public static IReadOnlyList<Message> Messages { get; } =
    [
        new Hello(Id, 3, 0x2F, WireLimits.MaxBody, "source.example", "disksync 0.1.0"),
        new Welcome(Id, 0x0F, 1 << 20, 64 << 20, "ziel.example", "disksync 0.1.0"),
        new ListBases(1UL << 40, 65536, "vm/disk.img"),
        new Bases([new BaseOffer("a.img", 4096, HashOf(1), 7), new BaseOffer("\u00fcber \u4e2d\U0001f600", 0, Hash256.Unknown, 0)]),
        new OpenImage("vm/disk.img", 5UL << 30, 65536, OpenFlags.InPlace | OpenFlags.HandOver, BaseChoice.Named, "base.img", HashOf(2), 0x1A0, "root:disk"),
        new ImageReady(9, TargetState.Resumed, 81920, HashOf(3), 4, "/srv/disk.img.partial", "base.img", "the journal was not trusted"),
        new MapRequest(HashOf(4), 2, 17, 256),
        new MapData(1, 1UL << 32, [new HashRun(1, HashOf(5)), new HashRun(255, Hash256.Unknown)]),
        new SubHashRequest([0, 5, (1UL << 40) - 1]),
        new SubHashes([new BlockSubHashes(0, [1, ulong.MaxValue]), new BlockSubHashes(5, [])]),
        new CloseImage(true),
        new ImageClosed(12345),
        new Progress(ProgressPhase.ReadingBack, 1 << 20, 5UL << 30),
        new Ping(0x0102030405060708),
        new Pong(0x0807060504030201),
        new End(1),
        new EndAck(1001),
        new Abort(AbortCode.DestinationError, true, "vm/disk.img", 1L << 35, "no space left on device", "free some space and run it again"),
        new BatchAck(77, [new RefusedBlock(12, RefusalReason.PatchMismatch), new RefusedBlock(13, RefusalReason.CopyMismatch)]),
        new KeepRound(3),
        new RoundKept(HashOf(3), "/srv/images/vm.img.round-3", string.Empty),
        new Checkpoint(5),
        new DurableAck(5),
        new Verify(2),
        new Verified(2, HashOf(6), 5UL << 30, [3, 4], true),
        new Seal(8, HashOf(7)),
        new Sealed("/srv/vm/disk.img"),
        new BlockRequest(99, 4),
        new Prepare(Id, 8, [new ImageRoot(0, HashOf(8)), new ImageRoot(63, HashOf(9))], "start-vm"),
        new Prepared(Id, 8),
        new Commit(Id, 8),
        new Owner(Id, 8),
        new Running(Id, 8, -1, "started\n"),
        new Refuse(Id, 8),
        new Refused(Id, 8, "asked to"),
        new QueryAttempt(Id),
        new AttemptStatus(Id, AttemptState.Ceded, 8),
        new CheckResume("start-web"),
        new ResumeChecked(),
        new MissingBlocks(true, [new BlockSpan(0, 1), new BlockSpan(77, 3)]),
        new MissingNoted(4),
        new PrepareTail(Id, 8, [new TailImage(0, HashOf(8), "/srv/vm/disk.img"), new TailImage(63, HashOf(9), "")], "start-vm"),
        new QueryTail(Id),
        new TailStatus(Id, AttemptState.RunningIncomplete, 8, 1 << 20),
        new Drain(3),
        new Drained(65535),
        new SeedRequest([HashOf(10), HashOf(11)]),
        new Seeds(1UL << 33, [0, 1, 2047]),
        new CheckImage("vm/disk.img", 5UL << 30, 65536, HashOf(10), 0x1A0, "root:disk", [new SampleBlock(0, HashOf(11)), new SampleBlock(81919, HashOf(12))]),
        new ImageChecked(false, "/srv/vm/disk.img", 131072, "it has no seal"),
        new Serve(Id, 8, 63, ServeUse.Background),
        new Serving(Id, 8),
    ];

    /// <summary>A hash that is easy to recognise in a dump.</summary>
    public static Hash256 HashOf(byte value)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(value + (i * 7));
        }

        return new Hash256(bytes);
    }

    /// <summary>The frame of one message as the first of its connection.</summary>
    public static byte[] FrameOf(Message message, ushort image = 0)
    {
        var output = new ArrayBufferWriter<byte>();
        new FrameWriter().Write(output, image, message);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>A block whose bytes tell where they are.</summary>
    public static byte[] Block(int length, int salt)
    {
        byte[] block = new byte[length];
        for (int i = 0; i < length; i++)
        {
            block[i] = (byte)((i >> 6) + (i * salt));
        }

        return block;
    }

    /// <summary>A Blocks frame with an entry of each kind.</summary>
    /// <param name="small">Leaves the two large raw payloads out.</param>
    public static byte[] BlocksFrame(bool small = false)
    {
        using var batch = new BlocksWriter(64, 1 << 20);
        batch.Begin(9, 42, 3);
        batch.TryAddZeroRun(0, 2);
        batch.TryAddZeroRun(2, 3);
        if (!small)
        {
            batch.TryAdd(BlockKind.Raw, 5, HashOf(1), Block(16384, 3));
        }

        byte[] packed = new byte[16384];
        int length = Lz4.Compress(Block(16384, 0), packed);
        batch.TryAdd(BlockKind.Lz4, 6, HashOf(2), packed.AsSpan(0, length));
        batch.TryAdd(BlockKind.Patch, 7, HashOf(3), Patch(16384, 0b0101, compress: true));
        batch.TryAddCopy(8, HashOf(4), 39);
        batch.TryAdd(BlockKind.Patch, 40, HashOf(5), Patch(5000, 0b10, compress: false));
        if (!small)
        {
            batch.TryAdd(BlockKind.Raw, 30, HashOf(6), Block(16384, 5));
        }

        return new FrameWriter().FinishBlocks(1, batch).ToArray();
    }

    /// <summary>A packed Blocks frame: zeros, two raw blocks and a patch.</summary>
    /// <remarks>No golden file is made of it: each version of the library makes other frames of the same bytes.</remarks>
    public static byte[] PackedFrame()
    {
        using var batch = new BlocksWriter(64, 1 << 20);
        batch.Begin(9, 43, 3);
        batch.TryAddZeroRun(0, 5);
        batch.TryAdd(BlockKind.Raw, 6, HashOf(2), Block(16384, 0));
        batch.TryAdd(BlockKind.Raw, 7, HashOf(3), Block(16384, 3));
        batch.TryAdd(BlockKind.Patch, 40, HashOf(5), Patch(5000, 0b10, compress: false));
        using var compressor = new ZstdCompressor();
        if (!batch.TryPack(compressor, 3, batch.PayloadLength))
        {
            throw new InvalidOperationException("the sample does not compress");
        }

        return new FrameWriter().FinishBlocks(1, batch).ToArray();
    }

    /// <summary>The body of <see cref="PackedFrame"/>.</summary>
    public static byte[] PackedBody() => PackedFrame()[FrameHeader.Size..];

    /// <summary>The body of <see cref="BlocksFrame"/>.</summary>
    public static byte[] BlocksBody(bool small = false) => BlocksFrame(small)[FrameHeader.Size..];

    /// <summary>A patch payload.</summary>
    public static byte[] Patch(int blockLength, byte bitmap, bool compress)
    {
        byte[] payload = new byte[PatchPayload.MaxLength(blockLength)];
        int length = PatchPayload.Build(
            Block(blockLength, compress ? 0 : 1), [bitmap], compress, new byte[blockLength], payload);
        return payload[..length];
    }
}
