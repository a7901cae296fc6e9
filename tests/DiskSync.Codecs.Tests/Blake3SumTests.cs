using System.Diagnostics;
using DiskSync.TestSupport;

namespace DiskSync.Codecs.Tests;

/// <summary>Agreement with Debian's b3sum, which is the reference implementation.</summary>
public sealed class Blake3SumTests
{
    private const string Package = "b3sum";

    [Fact]
    public void Random_lengths_up_to_10_MiB_have_the_hash_that_b3sum_prints()
    {
        // Half of the lengths small, where the tree's shape changes most often.
        int seed = Random.Shared.Next();
        Random random = new(seed);
        byte[] data = new byte[10 << 20];
        random.NextBytes(data);
        using TempFolder folder = new();
        List<string> paths = [];
        List<string> expected = [];
        for (int i = 0; i < 40; i++)
        {
            int length = i == 0 ? data.Length : random.Next(i % 2 == 0 ? 70_000 : data.Length + 1);
            ReadOnlySpan<byte> input = data.AsSpan(data.Length - length);
            paths.Add(folder.Write($"{i}-{length}", input));
            expected.Add($"{Blake3.Hash(input)}  {paths[^1]}");
            Blake3Hasher hasher = new();
            hasher.Update(input[..(length / 3)]);
            hasher.Update(input[(length / 3)..]);
            Assert.Equal(Blake3.Hash(input), hasher.Finalize());
        }

        string output = Tool.Run(Package, "b3sum", ["--num-threads", "1", .. paths]);
        Assert.True(string.Join('\n', expected) == output, $"seed {seed}: b3sum says\n{output}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1024)]
    [InlineData(50_001)]
    public void Keyed_derived_and_long_outputs_are_those_of_b3sum(int length)
    {
        byte[] data = Blake3Vector.Input(length);
        byte[] output = new byte[1000];
        using TempFolder folder = new();
        string path = folder.Write("input", data);

        Blake3.Hash(data, output);
        Assert.Equal(Convert.ToHexStringLower(output), Sum([], "--length", "1000", path));
        Blake3.DeriveKey("DiskSync test 2026", data, output);
        Assert.Equal(
            Convert.ToHexStringLower(output), Sum([], "--derive-key", "DiskSync test 2026", "--length", "1000", path));
        Assert.Equal(Blake3.KeyedHash(Blake3Vector.Key, data).ToString(), Sum(Blake3Vector.Key, "--keyed", path));
    }

    private static string Sum(ReadOnlySpan<byte> standardInput, params string[] arguments)
    {
        using Process process = Tool.Start(Package, "b3sum", ["--no-names", .. arguments]);
        process.StandardInput.BaseStream.Write(standardInput);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd().TrimEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
