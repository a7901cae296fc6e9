using System.IO.Compression;
using DiskSync.Engine.Replication;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

public sealed class NoiseCheckTests
{
    [Theory]
    [InlineData(8 << 10)]
    [InlineData(64 << 10)]
    [InlineData((1 << 20) + 17)]
    public void Random_bytes_are_noise(int length)
    {
        for (int seed = 0; seed < 200; seed++)
        {
            Assert.True(NoiseCheck.IsNoise(SampleImage.Noise(seed, length)), $"seed {seed}");
        }
    }

    [Fact]
    public void A_program_is_no_noise_and_what_gzip_makes_of_it_is()
    {
        byte[] program = File.ReadAllBytes(typeof(object).Assembly.Location)[..(1 << 20)];
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(program);
        }

        Assert.InRange(packed.Length, 64 << 10, program.Length);
        Assert.True(NoiseCheck.IsNoise(packed.ToArray()));
        Assert.False(NoiseCheck.IsNoise(program));
    }

    [Fact]
    public void Noise_with_a_quarter_of_something_else_in_it_is_none()
    {
        byte[] data = SampleImage.Noise(1, 1 << 20);
        data.AsSpan(1 << 19, 1 << 18).Clear();
        Assert.False(NoiseCheck.IsNoise(data));
    }

    [Fact]
    public void What_is_too_short_to_tell_is_not_called_noise() => Assert.False(NoiseCheck.IsNoise(SampleImage.Noise(1, 8191)));
}
