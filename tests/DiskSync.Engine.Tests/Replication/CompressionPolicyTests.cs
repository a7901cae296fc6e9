using DiskSync.Engine.Replication;
using DiskSync.Formats.Wire.Messages;
using DiskSync.TestSupport.Copying;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>The choice of the codec, in copies that run in virtual time.</summary>
public sealed class CompressionPolicyTests
{
    private const double Worse = 1.03;

    private static readonly BatchCodec[] All =
        [BatchCodec.Raw, BatchCodec.Lz4, BatchCodec.Zstd(1), BatchCodec.Zstd(3), BatchCodec.Zstd(6), BatchCodec.Zstd(18)];

    public static TheoryData<string, double> DataAndMachines { get; } = new()
    {
        { "programs", 1 },
        { "programs", 0.3 },
        { "programs", 2 },
        { "text", 1 },
        { "text", 0.3 },
        { "noise", 1 },
        { "mixed", 1 },
        { "mixed", 0.5 },
    };

    [Theory]
    [MemberData(nameof(DataAndMachines))]
    public void On_no_link_is_the_choice_more_than_3_percent_slower_than_the_best_fixed_codec(string data, double speed)
    {
        TypicalCosts costs = Costs(data, 2000, speed);
        foreach (double megabits in (double[])[5, 20, 50, 100, 300, 1000, 2500, 10_000])
        {
            SimulatedPath path = new(megabits * 125e3, megabits < 100 ? 0.1 : 0.001, 1.3e9);
            AssertAsGoodAsTheBest(costs, path, $"{data} at {megabits} Mbit/s on a machine of speed {speed}");
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    public void Acks_that_come_in_any_order_over_several_connections_do_not_mislead_it(int connections)
    {
        foreach (string data in (string[])["programs", "mixed"])
        {
            foreach (double megabits in (double[])[5, 20, 100, 1000])
            {
                SimulatedPath path = new(megabits * 125e3, megabits < 1000 ? 0.1 : 0.01, 1.3e9, Connections: connections);
                AssertAsGoodAsTheBest(Costs(data, 2000, 1), path, $"{data}, {connections} connections at {megabits} Mbit/s");
            }
        }
    }

    [Theory]
    [InlineData(300e6)]
    [InlineData(400e6)]
    [InlineData(800e6)]
    public void Where_processors_are_the_limit_it_is_found_out_that_encoding_only_takes_from_them(double bytesPerSecond)
    {
        foreach (string data in (string[])["programs", "mixed"])
        {
            TypicalCosts costs = Costs(data, 10_000, 1);
            SimulatedPath path = new(bytesPerSecond, 0.0002, 1.3e9, SharedProcessors: 1);
            AssertAsGoodAsTheBest(costs, path, $"{data} at {bytesPerSecond / 1e6} MB/s", worse: 1.1);
        }
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(3)]
    public void A_codec_that_is_slower_or_faster_than_usual_beside_the_others_is_found_out(double lz4)
    {
        TypicalCosts costs = new(2000, 1, 0.05, 1, lz4);
        foreach (double megabits in (double[])[500, 1000, 2500, 4000])
        {
            AssertAsGoodAsTheBest(costs, new(megabits * 125e3), $"LZ4 {lz4} times as fast at {megabits} Mbit/s");
        }
    }

    [Theory]
    [InlineData(1.3e9, 0.01)]
    [InlineData(500e6, 0.05)]
    [InlineData(350e6, 0.05)]
    public void Without_a_network_nothing_is_compressed_and_little_is_probed(double destination, double probes)
    {
        CopyOutcome outcome = CopySimulation.Run(
            Costs("programs", 2000, 1), new SimulatedPath(20e9, 1e-5, destination), CompressionMode.Auto, double.PositiveInfinity);
        Assert.Equal([(BatchCodec.Raw, 2000)], outcome.Uses);
        Assert.InRange(outcome.ProcessorSeconds, 0, probes);
    }

    [Fact]
    public void A_slow_tunnel_behind_a_local_socket_is_noticed()
    {
        SimulatedPath path = new(12.5e6, 0.02, 1.3e9);
        CopyOutcome raw = CopySimulation.Run(Costs("programs", 2000, 1), path, CompressionMode.Never, double.PositiveInfinity);
        CopyOutcome outcome = CopySimulation.Run(Costs("programs", 2000, 1), path, CompressionMode.Auto, double.PositiveInfinity);
        Assert.InRange(outcome.Seconds, 0, raw.Seconds / 2);
    }

    [Theory]
    [InlineData(100e6)]
    [InlineData(400e6)]
    public void A_slow_destination_is_not_taken_for_a_slow_link_for_long(double destination)
    {
        TypicalCosts costs = Costs("programs", 4000, 1);
        foreach (double expected in (double[])[double.PositiveInfinity, CompressionPolicy.UnknownLinkRate])
        {
            SimulatedPath path = new(1.2e9, 0.0002, destination);
            CopyOutcome outcome = CopySimulation.Run(costs, path, CompressionMode.Auto, expected);
            CopyOutcome raw = CopySimulation.Run(costs, path, CompressionMode.Never, expected);
            Assert.InRange(outcome.Seconds, 0, raw.Seconds * Worse);

            // Compressing all of it with the cheapest codec would take 11 seconds of a processor.
            Assert.InRange(outcome.ProcessorSeconds, 0, 1.5);
        }
    }

    [Theory]
    [InlineData(1000, 20)]
    [InlineData(20, 1000)]
    [InlineData(100, 300)]
    public void A_link_that_changes_is_followed(double first, double then)
    {
        TypicalCosts costs = Costs("mixed", 4000, 1);
        double change = 2000 * 0.5e6 / (first * 125e3);
        SimulatedPath path = new(0, 0.01, 1.3e9, time => (time < change ? first : then) * 125e3);
        AssertAsGoodAsTheBest(costs, path, $"{first} and then {then} Mbit/s");
    }

    [Fact]
    public void A_short_copy_over_a_slow_link_is_compressed_from_its_start()
    {
        // 16 MiB: more than that may be under way at once.
        CopyOutcome outcome = CopySimulation.Run(Costs("programs", 16, 1), new SimulatedPath(0.6e6, 0.1), CompressionMode.Auto);
        Assert.DoesNotContain(outcome.Uses, u => u.Codec == BatchCodec.Raw);
        AssertAsGoodAsTheBest(Costs("programs", 16, 1), new SimulatedPath(0.6e6, 0.1), "16 MiB");
    }

    [Fact]
    public void The_measured_rate_of_the_link_is_its_rate()
    {
        VirtualTime time = new();
        CompressionPolicy policy = new(CompressionMode.Auto, Capability.Lz4 | Capability.Zstd, 2, time);
        Assert.Equal(double.PositiveInfinity, policy.LinkRate);
        policy.Choose();
        policy.WaitBegins();
        for (int i = 0; i < 20; i++)
        {
            policy.Choose();
            policy.Compressed(new EncodedSample(BatchCodec.Raw, 1 << 20, 1 << 20, TimeSpan.Zero));
            time.Seconds += 0.1;
            policy.Acknowledged(1 << 20, 1 << 20, TimeSpan.FromSeconds(0.5), BatchCodec.Raw);
        }

        Assert.Equal(10 << 20, policy.LinkRate, 1e5);
    }

    [Fact]
    public void A_link_takes_less_only_where_the_senders_wait_for_most_of_the_time()
    {
        VirtualTime time = new();
        CompressionPolicy policy = new(CompressionMode.Auto, Capability.Lz4 | Capability.Zstd, 2, time);
        policy.Choose();
        Send(batches: 50, of: 1 << 20, waiting: 1);
        double measured = policy.LinkRate;
        Assert.Equal(10 << 20, measured, 1e5);

        // Processors that keep both from sending for a while, and a short wait for what then comes at once.
        Send(batches: 50, of: 1 << 19, waiting: 0.3);
        Assert.InRange(policy.LinkRate, measured, double.PositiveInfinity);
        Send(batches: 50, of: 1 << 19, waiting: 1);
        Assert.Equal(5 << 20, policy.LinkRate, 1e5);
        return;

        // One of the two workers waits for a part of the time.
        void Send(int batches, int of, double waiting)
        {
            for (int i = 0; i < batches; i++)
            {
                policy.Choose();
                policy.Compressed(new EncodedSample(BatchCodec.Raw, of, of, TimeSpan.Zero));
                policy.WaitBegins();
                time.Seconds += 0.1 * waiting;
                policy.WaitEnds();
                time.Seconds += 0.1 * (1 - waiting);
                policy.Acknowledged(of, of, TimeSpan.FromSeconds(0.5), BatchCodec.Raw);
            }
        }
    }

    [Fact]
    public void The_first_batches_which_load_the_library_do_not_make_the_machine_look_slow()
    {
        CompressionPolicy policy = new(CompressionMode.Auto, Capability.Lz4 | Capability.Zstd, 2, new VirtualTime());
        for (int i = 0; i < 2; i++)
        {
            BatchCodec codec = policy.Choose();
            Assert.Equal(CodecKind.Zstd, codec.Kind);
            policy.Compressed(new EncodedSample(codec, 1 << 20, 400_000, TimeSpan.FromSeconds(0.5)));
        }

        Assert.Equal(CodecKind.Zstd, policy.Choose().Kind);
    }

    [Fact]
    public void A_bandwidth_limit_is_known_without_being_measured_and_may_change()
    {
        RateLimiter limiter = new(600_000);
        CompressionPolicy policy = new(
            CompressionMode.Auto, Capability.Lz4 | Capability.Zstd, 2, new VirtualTime(), double.PositiveInfinity, limiter);
        Assert.Equal(CodecKind.Zstd, policy.Choose().Kind);
        limiter.BytesPerSecond = 0;
        Assert.Equal(BatchCodec.Raw, policy.Choose());
        limiter.BytesPerSecond = 600_000;
        Assert.Equal(CodecKind.Zstd, policy.Choose().Kind);
    }

    [Theory]
    [InlineData("never", Capability.Lz4 | Capability.Zstd, "raw")]
    [InlineData("raw", Capability.Lz4 | Capability.Zstd, "raw")]
    [InlineData("always", Capability.Lz4 | Capability.Zstd, "lz4")]
    [InlineData("LZ4", Capability.Lz4 | Capability.Zstd, "lz4")]
    [InlineData("zstd", Capability.Lz4 | Capability.Zstd, "zstd:3")]
    [InlineData("zstd:19", Capability.Lz4 | Capability.Zstd, "zstd:19")]
    [InlineData("zstd:19", Capability.Lz4, "lz4")]
    [InlineData("zstd:19", Capability.None, "raw")]
    [InlineData("always", Capability.Zstd, "raw")]
    public void What_the_user_asks_for_is_done_where_both_sides_can(string asked, Capability capabilities, string used)
    {
        Assert.True(CompressionMode.TryParse(asked, out CompressionMode mode));
        CompressionPolicy policy = new(mode, capabilities, 2, new VirtualTime());
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(used, policy.Choose().ToString());
            Assert.Null(policy.NextProbe());
        }
    }

    [Theory]
    [InlineData(Capability.None)]
    [InlineData(Capability.Lz4)]
    [InlineData(Capability.Zstd)]
    public void A_codec_that_one_side_lacks_is_never_chosen_nor_probed(Capability capabilities)
    {
        CompressionPolicy policy = new(CompressionMode.Auto, capabilities, 2, new VirtualTime(), 1e6);
        for (int i = 0; i < 200; i++)
        {
            BatchCodec codec = policy.Choose();
            Assert.True(IsIn(capabilities, codec));
            Assert.True(policy.NextProbe() is not { } probe || (IsIn(capabilities, probe.Current) && IsIn(capabilities, probe.Candidate)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("gzip")]
    [InlineData("zstd:0")]
    [InlineData("zstd:20")]
    [InlineData("zstd:-1")]
    [InlineData("zstd:")]
    [InlineData("lz4:3")]
    [InlineData("raw:1")]
    [InlineData("auto:1")]
    public void What_names_no_codec_is_refused(string text) => Assert.False(CompressionMode.TryParse(text, out _));

    [Fact]
    public void Auto_is_what_nothing_else_was_asked_for()
    {
        Assert.True(CompressionMode.TryParse("auto", out CompressionMode mode));
        Assert.Equal(default, mode);
        Assert.Null(new SenderOptions().Compression.Fixed);
    }

    private static bool IsIn(Capability capabilities, BatchCodec codec) => codec.Kind switch
    {
        CodecKind.Lz4 => capabilities.HasFlag(Capability.Lz4),
        CodecKind.Zstd => capabilities.HasFlag(Capability.Zstd),
        _ => true,
    };

    private static TypicalCosts Costs(string data, int batches, double speed) => data switch
    {
        "programs" => new(batches, 1, 0.05, speed),
        "text" => new(batches, 1.6, 0, speed),
        "noise" => new(batches, 0, 1, speed),
        _ => new(batches, 1, 0.5, speed),
    };

    private static void AssertAsGoodAsTheBest(TypicalCosts costs, SimulatedPath path, string what, double worse = Worse)
    {
        double best = All.Min(codec => CopySimulation.Run(costs, path, CompressionMode.Of(codec)).Seconds);
        CopyOutcome auto = CopySimulation.Run(costs, path, CompressionMode.Auto);
        Assert.True(
            auto.Seconds <= best * worse,
            $"{what}: {auto.Seconds:0.00} s, the best fixed codec {best:0.00} s; {string.Join(", ", auto.Uses)}");
    }
}
