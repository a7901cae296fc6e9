using DiskSync.Codecs;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the zstd decoder.</summary>
public static class FuzzZstd
{
    [ThreadStatic]
    private static GuardedDecoder? _decoder;

    /// <summary>Compressed zeros, text, noise and short runs.</summary>
    public static IReadOnlyList<byte[]> Seeds()
    {
        using ZstdCompressor compressor = new();
        return GuardedDecoder.Seeds((content, room) => compressor.Compress(content, room, 3), Zstd.MaxCompressedLength);
    }

    /// <summary>Decodes between guards, with one context all the time.</summary>
    public static void Run(ReadOnlySpan<byte> input) => (_decoder ??= new GuardedDecoder(new ZstdDecompressor().TryDecompress)).Run(input);
}
