using System.Runtime.InteropServices;

namespace DiskSync.Codecs.Tests;

/// <summary>The reference implementation of LZ4, as the system has it (Debian package liblz4-1).</summary>
internal static partial class SystemLz4
{
    /// <summary>Compresses; 0 where it does not fit.</summary>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination) =>
        CompressDefault(source, destination, source.Length, destination.Length);

    /// <summary>Decompresses; negative for a bad block.</summary>
    public static int Decompress(ReadOnlySpan<byte> source, Span<byte> destination) =>
        DecompressSafe(source, destination, source.Length, destination.Length);

    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_compress_default")]
    private static partial int CompressDefault(
        ReadOnlySpan<byte> source, Span<byte> destination, int sourceLength, int destinationLength);

    [LibraryImport("liblz4.so.1", EntryPoint = "LZ4_decompress_safe")]
    private static partial int DecompressSafe(
        ReadOnlySpan<byte> source, Span<byte> destination, int sourceLength, int destinationLength);
}
