using DiskSync.Codecs;
using DiskSync.Engine.Replication;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Copies with each codec, between real sessions.</summary>
public sealed class CodecTests
{
    [Theory]
    [InlineData("never")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    [InlineData("zstd:1")]
    [InlineData("zstd:19")]
    [InlineData("auto")]
    public async Task A_copy_with_any_codec_is_identical_and_its_report_says_what_was_used(string how)
    {
        using SessionLab lab = new();
        Assert.True(CompressionMode.TryParse(how, out CompressionMode mode));
        lab.Options = lab.Options with { Compression = mode, BatchBytes = 1 << 20 };
        byte[] content = Content();
        PushResult result = await lab.PushAsync(lab.Source("a.img", content));
        lab.AssertTarget(content);

        // Then patches, in the target's old content.
        for (int at = 4096; at < content.Length; at += 200_000)
        {
            "changed"u8.CopyTo(content.AsSpan(at));
        }

        PushResult second = await lab.PushAsync(lab.Source("b.img", content));
        lab.AssertTarget(content);
        Assert.True(second.Rounds.Sum(r => r.PatchedBlocks) > 0);
        foreach (RoundResult round in result.Rounds.Concat(second.Rounds))
        {
            Assert.Equal(round.PayloadBytes, round.Codecs.Sum(c => c.PayloadBytes));
            Assert.Equal(round.EncodedBytes, round.Codecs.Sum(c => c.EncodedBytes));
            Assert.All(round.Codecs, c => Assert.True(mode.Fixed is null || c.Codec == mode.Fixed || c.Codec == BatchCodec.Raw));
        }

        if (mode.Fixed is { Kind: not CodecKind.Raw } codec)
        {
            Assert.Contains(result.Rounds.Single().Codecs, c => c.Codec == codec && c.EncodedBytes < c.PayloadBytes);
            Assert.Contains(second.Rounds.Single().Codecs, c => c.Codec == codec);
        }
    }

    [Fact]
    public async Task Noise_is_sent_as_it_is_whatever_was_asked_for()
    {
        using SessionLab lab = new();
        lab.Options = lab.Options with { Compression = CompressionMode.Of(BatchCodec.Zstd(19)) };
        byte[] noise = SampleImage.Noise(5, 1 << 20);
        PushResult result = await lab.PushAsync(lab.Source("a.img", noise));
        lab.AssertTarget(noise);
        CodecUse use = Assert.Single(result.Rounds.Single().Codecs);
        Assert.Equal((BatchCodec.Raw, (long)noise.Length, (long)noise.Length), (use.Codec, use.PayloadBytes, use.EncodedBytes));
    }

    [Fact]
    public void Zstd_is_offered_where_the_system_has_it() =>
        Assert.Equal(Zstd.IsAvailable, SourceSession.Supported.HasFlag(Formats.Wire.Messages.Capability.Zstd));

    private static byte[] Content()
    {
        byte[] content = new byte[3 << 20];
        byte[] program = File.ReadAllBytes(typeof(object).Assembly.Location);
        program.AsSpan(0, Math.Min(program.Length, content.Length - (64 << 10))).CopyTo(content);
        SampleImage.Noise(3, 100_000).CopyTo(content, 1_000_000);
        return content;
    }
}
