using System.Globalization;

namespace DiskSync.Wanem;

/// <summary>What the command line asks for.</summary>
internal sealed record WanemOptions
{
    /// <summary>The command line, for people.</summary>
    public const string Usage = """
        usage: wanem --a NAMESPACE --b NAMESPACE [OPTION...] [--a-to-b OPTION...] [--b-to-a OPTION...]

        Makes a TUN device in each of two network namespaces and carries packets between them. tools/wanem/run makes the
        namespaces, addresses and all; this is what it runs. Ends on SIGTERM or SIGINT and says what it did.

          --delay TIME       one way, such as 25ms (0)
          --jitter TIME      the delay varies evenly by up to this, either way; the order is kept (0)
          --loss SHARE       packets lost, each on its own, such as 0.1% (0)
          --reorder SHARE    packets held back, so that those behind overtake them (0)
          --reorder-by TIME  for how long (2ms)
          --rate RATE        such as 100mbit or 5mbit; counts IP packets (no limit)
          --overhead BYTES   added to each packet for the rate; 38 is Ethernet on the wire (0)
          --queue LIMIT      before the rate, dropping at its tail: bytes (625000, 64k) or time at the rate (50ms).
                             Default: one bandwidth-delay product, at least 50 ms of the rate

        These go both ways; after --a-to-b or --b-to-a they go that way only.

          --link NAME        L2 (100 Mbit/s, 50 ms round trip, 0.1% loss each way) or L3 (5 Mbit/s, 100 ms)
          --seed N           the same seed loses, holds back and delays the same packets (1)
          --mtu BYTES        the largest packet; set the interfaces' to the same (1500)
          --device NAME      the interfaces' name (wan0)
          --memory BYTES     for packets on their way, in each direction (256m)
        """;

    private static readonly LinkOptions None = new();

    /// <summary>The first namespace.</summary>
    public string A { get; init; } = string.Empty;

    /// <summary>The second.</summary>
    public string B { get; init; } = string.Empty;

    /// <summary>The way from the first to the second.</summary>
    public LinkOptions AToB { get; init; } = None;

    /// <summary>The way back.</summary>
    public LinkOptions BToA { get; init; } = None;

    /// <summary>Seeds all that is random.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The largest packet in bytes.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>The interfaces' name.</summary>
    public string Device { get; init; } = "wan0";

    /// <summary>Bytes for the packets on their way in each direction.</summary>
    public long Memory { get; init; } = 256 << 20;

    /// <summary>The delays of both directions, in nanoseconds.</summary>
    public long RoundTrip => AToB.Delay + BToA.Delay;

    /// <summary>Reads the command line.</summary>
    public static bool TryParse(IReadOnlyList<string> arguments, out WanemOptions options, out string error)
    {
        options = new WanemOptions();
        error = string.Empty;
        bool there = true;
        bool back = true;
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            if (name is "--a-to-b" or "--b-to-a")
            {
                there = name == "--a-to-b";
                back = !there;
                continue;
            }

            string value = i + 1 < arguments.Count ? arguments[++i] : string.Empty;
            if (ParseWhole(name, value, ref options))
            {
                continue;
            }

            if (Parse(name, value, there ? options.AToB : options.BToA) is not { } one)
            {
                error = $"'{name} {value}' is not understood (--help shows the options)";
                return false;
            }

            // The other way has its own other settings: the option is read into it again.
            options = options with
            {
                AToB = there ? one : options.AToB,
                BToA = there && back ? Parse(name, value, options.BToA)! : back ? one : options.BToA,
            };
        }

        error = options.A.Length == 0 || options.B.Length == 0 ? "both --a and --b are needed" : string.Empty;
        return error.Length == 0;
    }

    private static bool ParseWhole(string name, string value, ref WanemOptions options)
    {
        WanemOptions? read = name switch
        {
            "--a" when value.Length > 0 => options with { A = value },
            "--b" when value.Length > 0 => options with { B = value },
            "--device" when value.Length > 0 => options with { Device = value },
            "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out int seed) => options with { Seed = seed },
            "--mtu" when int.TryParse(value, CultureInfo.InvariantCulture, out int mtu) && mtu is >= 68 and <= 65535 =>
                options with { Mtu = mtu },
            "--memory" when Amount.TryBytes(value, out long memory) => options with { Memory = memory },
            _ => null,
        };
        options = read ?? options;
        return read is not null;
    }

    private static LinkOptions? Parse(string name, string value, LinkOptions link)
    {
        long amount;
        double share;
        return name switch
        {
            "--delay" when Amount.TryTime(value, out amount) => link with { Delay = amount },
            "--jitter" when Amount.TryTime(value, out amount) => link with { Jitter = amount },
            "--loss" when Amount.TryShare(value, out share) => link with { Loss = share },
            "--reorder" when Amount.TryShare(value, out share) => link with { Reorder = share },
            "--reorder-by" when Amount.TryTime(value, out amount) => link with { ReorderBy = amount },
            "--rate" when Amount.TryRate(value, out amount) => link with { Rate = amount },
            "--overhead" when Amount.TryBytes(value, out amount) && amount <= 1000 => link with { Overhead = (int)amount },
            "--queue" when Amount.TryBytes(value, out amount) => link with { QueueBytes = amount, QueueTime = null },
            "--queue" when Amount.TryTime(value, out amount) => link with { QueueTime = amount, QueueBytes = null },
            "--link" when value == "L2" => link with { Delay = 25_000_000, Loss = 0.001, Rate = 100_000_000 },
            "--link" when value == "L3" => link with { Delay = 50_000_000, Loss = 0, Rate = 5_000_000 },
            _ => null,
        };
    }
}
