using DiskSync.Codecs;
using DiskSync.Formats.Wire;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Formats.Tests.Wire;

/// <summary>Random messages within the caps.</summary>
internal sealed class MessageGenerator(int seed)
{
    private readonly Random _random = new(seed);

    public Message Next() => _random.Next(50) switch
    {
        0 => new Hello(Id(), (ushort)_random.Next(65536), Number(), (uint)_random.Next(WireLimits.MinMaxBody, int.MaxValue), Text(), Text()),
        1 => new Welcome(Id(), Number(), (uint)_random.Next(WireLimits.MinMaxBody, int.MaxValue), (uint)_random.Next(1, int.MaxValue), Text(), Text()),
        2 => new ListBases(Length(), Granularity(), Text()),
        3 => new Bases(List(WireLimits.MaxBases, () => new BaseOffer(Text(), Length(), Hash(), Number()))),
        4 => new OpenImage("x" + Text(), Length(), Granularity(), (OpenFlags)_random.Next(8), (BaseChoice)_random.Next(3), Text(), Hash(), (uint)Number(), Text()),
        5 => new ImageReady(Number(), (TargetState)_random.Next(1, 5), Block(), Hash(), Number(), Text(), Text(), Text()),
        6 => new MapRequest(Hash(), (byte)_random.Next(6), Block(), (uint)_random.Next(1, WireLimits.MaxMapNodes + 1)),
        7 => new MapData((byte)_random.Next(6), Block(), List(64, () => new HashRun((uint)_random.Next(1, 1000), Hash()))),
        8 => new SubHashRequest([.. List(500, Block).Distinct().Order()]),
        9 => new SubHashes(List(20, () => new BlockSubHashes(Block(), List(WireLimits.MaxSubBlocks, Number)))),
        10 => new CloseImage(Flag()),
        11 => new ImageClosed(Block()),
        12 => new Progress((ProgressPhase)_random.Next(1, 7), Number(), Number()),
        13 => new Ping(Number()),
        14 => new Pong(Number()),
        15 => new End(Number()),
        16 => new EndAck(Number()),
        17 => new Abort(Pick(Enum.GetValues<AbortCode>()), Flag(), Text(), _random.NextInt64(-1, long.MaxValue), Text(), Text()),
        18 => new BatchAck(Number(), List(WireLimits.MaxBatchEntries, () => new RefusedBlock(Block(), (RefusalReason)_random.Next(1, 3)))),
        19 => new Checkpoint(Number()),
        20 => new DurableAck(Number()),
        21 => new Verify(Number()),
        22 => new Verified(Number(), Hash(), Number(), List(WireLimits.MaxWrongBlocks, Block), Flag()),
        23 => new Formats.Wire.Messages.Seal(Number(), KnownHash()),
        24 => new Sealed(Text()),
        25 => new BlockRequest((ulong)_random.NextInt64(1 << 30), (uint)_random.Next(1, int.MaxValue)),
        26 => new Prepare(Id(), Number(), Images(), Text()),
        27 => new Prepared(Id(), Number()),
        28 => new Commit(Id(), Number()),
        29 => new Owner(Id(), Number()),
        30 => new Running(Id(), Number(), _random.Next(int.MinValue, int.MaxValue), Text()),
        31 => new Refuse(Id(), Number()),
        32 => new Refused(Id(), Number(), Text()),
        33 => new QueryAttempt(Id()),
        34 => new CheckResume(Text()),
        35 => new ResumeChecked(),
        36 => new Drain((ushort)_random.Next(65536)),
        37 => new Drained((ushort)_random.Next(65536)),
        38 => new SeedRequest(List(WireLimits.MaxSeeds, KnownHash)),
        39 => new Seeds(Number(), [.. List(WireLimits.MaxSeeds, () => (ushort)_random.Next(WireLimits.MaxSeeds)).Distinct().Order()]),
        40 => new Serve(Id(), Number(), (ushort)_random.Next(WireLimits.MaxImages), (ServeUse)_random.Next(1, 4)),
        41 => new Serving(Id(), Number()),
        42 => new MissingBlocks(Flag(), [.. List(500, Block).Order().Chunk(2).Where(c => c.Length == 2 && c[1] > c[0]).Select(c => new BlockSpan(c[0], c[1] - c[0]))]),
        43 => new MissingNoted(Number()),
        44 => new PrepareTail(Id(), Number(), [.. Images().Select(i => new TailImage(i.Image, i.Root, Text()))], Text()),
        45 => new QueryTail(Id()),
        46 => new TailStatus(Id(), (AttemptState)_random.Next(13), Number(), Number()),
        47 => new KeepRound((uint)_random.Next(1, int.MaxValue)),
        48 => new RoundKept(Hash(), Text(), Text()),
        _ => new AttemptStatus(Id(), (AttemptState)_random.Next(13), Number()),
    };

    private static T Pick<T>(Random random, T[] values) => values[random.Next(values.Length)];

    private T Pick<T>(T[] values) => Pick(_random, values);

    private bool Flag() => _random.Next(2) == 1;

    private ulong Number() => (ulong)_random.NextInt64(long.MinValue, long.MaxValue) >> _random.Next(64);

    private ulong Block() => (ulong)_random.NextInt64((long)WireLimits.MaxBlocks) >> _random.Next(40);

    private ulong Length() => (ulong)_random.NextInt64((1L << 52) + 1) >> _random.Next(52);

    private uint Granularity() => 4096u << _random.Next(11);

    private Guid Id()
    {
        byte[] bytes = new byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private Hash256 Hash() => _random.Next(4) == 0 ? Hash256.Unknown : KnownHash();

    private Hash256 KnownHash()
    {
        byte[] bytes = new byte[Hash256.Size];
        _random.NextBytes(bytes);
        bytes[0] |= 1;
        return new Hash256(bytes);
    }

    private T[] List<T>(int cap, Func<T> item)
    {
        int count = _random.Next(8) switch { 0 => 0, 1 => cap, _ => _random.Next(Math.Min(cap, 30)) };
        return [.. Enumerable.Range(0, count).Select(_ => item())];
    }

    private ImageRoot[] Images() =>
        [.. Enumerable.Range(0, _random.Next(1, WireLimits.MaxImages + 1)).Select(i => new ImageRoot((ushort)i, KnownHash()))];

    private string Text()
    {
        string[] parts = ["", "disk", "/", "..", "\0", "\u00e4", "\u4e2d", "\U0001f600", "\n", "\u202e", " "];
        int count = _random.Next(30) == 0 ? 1000 : _random.Next(12);
        return string.Concat(Enumerable.Range(0, count).Select(_ => Pick(parts)));
    }
}
