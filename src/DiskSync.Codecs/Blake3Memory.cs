using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DiskSync.Codecs;

/// <summary>
/// The only unchecked memory accesses of the hash: reads at an offset from a reference. The bounds are proven once
/// per run of blocks, by <see cref="Blake3Kernels"/>, since a check per row would cost as much as the row.
/// </summary>
internal static class Blake3Memory
{
    /// <summary>How far ahead of the reads to prefetch, in bytes.</summary>
    public const int PrefetchDistance = 512;

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

    /// <summary>Asks for a cache line; never faults, so the address may lie outside the data.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Prefetch(ref readonly byte origin, nint offset)
    {
        // The address is only a hint: it does no harm if the collector moves the data in between.
        if (Sse.IsSupported)
        {
            Sse.Prefetch0((byte*)Unsafe.AsPointer(ref Unsafe.AsRef(in origin)) + offset);
        }
    }
}
