using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using DiskSync.Codecs;

namespace DiskSync.Bench;

/// <summary>
/// LZ4 of blocks as a disk image has them: the .NET runtime's own assemblies, cut into blocks. Beside it the system's
/// reference library, if there is one.
/// </summary>
[Config(typeof(ThroughputConfig))]
public partial class Lz4Benchmarks
{
    private const int Corpus = 16 << 20;

    private byte[] _data = [];
    private byte[] _packed = [];
    private byte[] _back = [];
    private int[] _sizes = [];

    /// <summary>Bytes of all blocks together.</summary>
    [Params(Corpus)]
    public int Length { get; set; }

    /// <summary>Bytes a block.</summary>
    [Params(4 << 10, 64 << 10, 1 << 20)]
    public int Block { get; set; }

    private int Room => Lz4.MaxCompressedLength(Block);

    /// <summary>Reads the corpus and compresses it once.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _data = new byte[Length];
        Span<byte> rest = _data;
        IEnumerable<string> files = Directory
            .EnumerateFiles(RuntimeEnvironment.GetRuntimeDirectory())
            .Order(StringComparer.Ordinal);
        foreach (string file in files)
        {
            ReadOnlySpan<byte> content = File.ReadAllBytes(file);
            content[..Math.Min(content.Length, rest.Length)].CopyTo(rest);
            rest = rest[Math.Min(content.Length, rest.Length)..];
        }

        _back = new byte[Block];
        _sizes = new int[Length / Block];
        _packed = new byte[_sizes.Length * Room];
        Compress();
        Console.WriteLine($"// blocks of {Block}: {(double)Length / _sizes.Sum():F2} to 1");
    }

    /// <summary>Compresses all blocks with ours.</summary>
    [Benchmark]
    public void Compress()
    {
        for (int i = 0; i < _sizes.Length; i++)
        {
            _sizes[i] = Lz4.Compress(_data.AsSpan(i * Block, Block), _packed.AsSpan(i * Room, Room));
        }
    }

    /// <summary>Decompresses all blocks with ours.</summary>
    [Benchmark]
    public bool Decompress()
    {
        bool good = true;
        for (int i = 0; i < _sizes.Length; i++)
        {
            good &= Lz4.TryDecompress(_packed.AsSpan(i * Room, _sizes[i]), _back);
        }

        return good;
    }

    /// <summary>Compresses all blocks with the system's library.</summary>
    [Benchmark]
    public void SystemCompress()
    {
        for (int i = 0; i < _sizes.Length; i++)
        {
            _sizes[i] = CompressDefault(_data.AsSpan(i * Block, Block), _packed.AsSpan(i * Room, Room), Block, Room);
        }
    }

    /// <summary>Decompresses all blocks with the system's library.</summary>
    [Benchmark]
    public int SystemDecompress()
    {
        int total = 0;
        for (int i = 0; i < _sizes.Length; i++)
        {
            total += DecompressSafe(_packed.AsSpan(i * Room, _sizes[i]), _back, _sizes[i], Block);
        }

        return total;
    }

    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_compress_default")]
    private static partial int CompressDefault(
        ReadOnlySpan<byte> source, Span<byte> destination, int sourceLength, int destinationLength);

    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_decompress_safe")]
    private static partial int DecompressSafe(
        ReadOnlySpan<byte> source, Span<byte> destination, int sourceLength, int destinationLength);
}
