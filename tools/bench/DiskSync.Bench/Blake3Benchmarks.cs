using BenchmarkDotNet.Attributes;
using DiskSync.Codecs;

namespace DiskSync.Bench;

/// <summary>BLAKE3 of one buffer that stays in the cache.</summary>
[Config(typeof(ThroughputConfig))]
public class Blake3Benchmarks
{
    private readonly Blake3Hasher _hasher = new();
    private byte[] _data = [];
    private ulong[] _prefixes = [];
    private Hash256[] _hashes = [];

    /// <summary>Bytes to hash.</summary>
    [Params(1 << 10, 4 << 10, 64 << 10, 1 << 20)]
    public int Length { get; set; }

    /// <summary>Fills the buffer.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _data = new byte[Length];
        new Random(1).NextBytes(_data);
        _prefixes = new ulong[(Length + Blake3.SubBlockLength - 1) / Blake3.SubBlockLength];
        _hashes = new Hash256[_prefixes.Length];
    }

    /// <summary>One hash over all.</summary>
    [Benchmark(Baseline = true)]
    public Hash256 Hash() => Blake3.Hash(_data);

    /// <summary>One hash over all, with its sub-blocks.</summary>
    [Benchmark]
    public Hash256 HashBlock() => Blake3.HashBlock(_data, _prefixes);

    /// <summary>A hash for each 4 KiB, at once.</summary>
    [Benchmark]
    public void HashBlocksOf4K() => Blake3.HashBlocks(_data, 4096, _hashes, []);

    /// <summary>A hash for each 64 KiB with its sub-blocks, at once.</summary>
    [Benchmark]
    public void HashBlocksOf64K() => Blake3.HashBlocks(_data, 65536, _hashes, _prefixes);

    /// <summary>The incremental hasher, in pieces of 64 KiB.</summary>
    [Benchmark]
    public Hash256 Hasher()
    {
        _hasher.Reset();
        for (int at = 0; at < _data.Length; at += 65536)
        {
            _hasher.Update(_data.AsSpan(at, Math.Min(65536, _data.Length - at)));
        }

        return _hasher.Finalize();
    }
}
