using DiskSync.Codecs;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>Fuzzes the LZ4 decoder.</summary>
public static class FuzzLz4
{
    [ThreadStatic]
    private static GuardedDecoder? _decoder;

    /// <summary>Compressed zeros, text, noise and short runs.</summary>
    public static IReadOnlyList<byte[]> Seeds() => GuardedDecoder.Seeds(Lz4.Compress, Lz4.MaxCompressedLength);

    /// <summary>Decodes between guards.</summary>
    public static void Run(ReadOnlySpan<byte> input) => (_decoder ??= new GuardedDecoder(Lz4.TryDecompress)).Run(input);
}
