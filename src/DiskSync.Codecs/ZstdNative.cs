using System.Runtime.InteropServices;

namespace DiskSync.Codecs;

/// <summary>The system's libzstd, as its zstd.h declares it; stable since 1.4.0.</summary>
internal static unsafe partial class ZstdNative
{
    internal const string Library = "libzstd.so.1";

    /// <summary>ZSTD_c_compressionLevel.</summary>
    internal const int LevelParameter = 100;

    /// <summary>ZSTD_d_windowLogMax.</summary>
    internal const int WindowLogMaxParameter = 100;

    /// <summary>ZSTD_error_dstSize_tooSmall.</summary>
    internal const int DestinationTooSmall = 70;

    [LibraryImport(Library, EntryPoint = "ZSTD_versionNumber")]
    internal static partial uint VersionNumber();

    [LibraryImport(Library, EntryPoint = "ZSTD_compressBound")]
    internal static partial nuint CompressBound(nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    internal static partial uint IsError(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorCode")]
    internal static partial int ErrorCode(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    internal static partial nint ErrorName(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    internal static partial nint CreateCompression();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    internal static partial nuint FreeCompression(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_CCtx_setParameter")]
    internal static partial nuint SetCompression(SafeHandle context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_compress2")]
    internal static partial nuint Compress(
        SafeHandle context, byte* destination, nuint capacity, byte* source, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    internal static partial nint CreateDecompression();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    internal static partial nuint FreeDecompression(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_DCtx_setParameter")]
    internal static partial nuint SetDecompression(SafeHandle context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressDCtx")]
    internal static partial nuint Decompress(
        SafeHandle context, byte* destination, nuint capacity, byte* source, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_getFrameContentSize")]
    internal static partial ulong FrameContentSize(byte* source, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_findFrameCompressedSize")]
    internal static partial nuint FrameCompressedSize(byte* source, nuint length);

    /// <summary>Fails where a call reports an error; the library's errors are no exceptions of their own.</summary>
    internal static nuint Check(nuint code) => IsError(code) == 0
        ? code
        : throw new InvalidOperationException($"{Library}: {Marshal.PtrToStringUTF8(ErrorName(code))}");
}
