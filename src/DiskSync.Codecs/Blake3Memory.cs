using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DiskSync.Codecs;

/// <summary>
/// The only unchecked memory accesses of the hash: reads at an offset from a reference. The callers prove the
/// bounds once per run of blocks (<see cref="Blake3Kernels"/>), since a check per row would cost as much as the row.
/// </summary>
internal static class Blake3Memory
{
    /// <summary>Reads 64 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Load512(ref readonly byte origin, nint offset) =>
        Unsafe.ReadUnaligned<Vector512<uint>>(in Unsafe.AddByteOffset(ref Unsafe.AsRef(in origin), offset));

    /// <summary>Reads 32 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Load256(ref readonly byte origin, nint offset) =>
        Unsafe.ReadUnaligned<Vector256<uint>>(in Unsafe.AddByteOffset(ref Unsafe.AsRef(in origin), offset));

    /// <summary>Reads 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Load128(ref readonly byte origin, nint offset) =>
        Unsafe.ReadUnaligned<Vector128<uint>>(in Unsafe.AddByteOffset(ref Unsafe.AsRef(in origin), offset));
}
