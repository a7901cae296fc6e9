using DiskSync.Formats;
using DiskSync.Formats.ExportControl;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the messages between an export and its borrower, header and body.</summary>
public static class FuzzExportControl
{
    /// <summary>One of each kind.</summary>
    public static IReadOnlyList<ControlMessage> Messages { get; } =
    [
        new LendRequest("a migration to host2:/srv/\u00fc"),
        new Lent("/srv/images/vm.img", 1UL << 40, WireSamples.HashOf(3), 7),
        new TakeDirty(DirtySince.LastTaken),
        new TakeDirty(DirtySince.Baseline),
        new DirtyBits(3, Words(i => i == 0 ? 0x8000_0000_0000_0001UL : i is 5 or 6 ? ulong.MaxValue : 0)),
        new DirtyBits(DirtyBits.MaxChunks - 1, Words(_ => 0x5555_5555_5555_5555UL)),
        new DirtyBits(0, Words(_ => ulong.MaxValue)),
        new DirtyEnd(2),
        new FenceWrites(1500),
        new Fenced(true, 9),
        new ReleaseWrites(),
        new SlowWrites(4 << 20, 250),
        new AskLoad(),
        new Load(1UL << 33, 4096, [.. Enumerable.Range(0, Load.Buckets).Select(i => (long)i * i)]),
        new Done(),
        new Refusal("source vm.img is lent", "Wait."),
        new OfferTail(new Guid("00112233-4455-6677-8899-aabbccddeeff"), 8, ServeUse.Background, "host1"),
        new AskTail(),
        new SetTail(true),
        new TailState(5UL << 30, 1UL << 40, 77, true, false, "the link was lost"),
    ];

    /// <summary>One of each kind as bytes.</summary>
    public static IReadOnlyList<byte[]> Seeds() => [.. Messages.Select(ControlCodec.Encode)];

    /// <summary>Reads a message; one that is accepted must be written as it was.</summary>
    public static void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < ControlCodec.HeaderSize)
        {
            return;
        }

        ControlMessage message;
        try
        {
            (int length, byte type) = ControlCodec.DecodeHeader(input);
            if (length != input.Length - ControlCodec.HeaderSize)
            {
                return;
            }

            message = ControlCodec.Decode(type, input[ControlCodec.HeaderSize..]);
        }
        catch (FormatViolationException)
        {
            return;
        }

        if (!input.SequenceEqual(ControlCodec.Encode(message)))
        {
            throw new InvalidOperationException($"{message.GetType().Name} accepted in a form that is not the encoder's");
        }
    }

    private static ulong[] Words(Func<int, ulong> word) => [.. Enumerable.Range(0, DirtyBits.WordCount).Select(word)];
}
