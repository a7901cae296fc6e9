using System.Runtime.InteropServices;

namespace DiskSync.TestSupport.Fuzz;

/// <summary>
/// Memory that ends at a page nobody may touch: code that reads or writes one byte too far ends the process there
/// and then, instead of going unnoticed. Never unmapped; not thread safe.
/// </summary>
public sealed unsafe partial class GuardedMemory
{
    private const int PageSize = 4096;
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private readonly byte* _end;
    private readonly int _capacity;

    /// <summary>Maps the memory.</summary>
    /// <param name="capacity">Bytes, rounded up to whole pages.</param>
    public GuardedMemory(int capacity)
    {
        _capacity = (capacity + PageSize - 1) / PageSize * PageSize;
        byte* start = (byte*)Map(0, (nuint)(_capacity + PageSize), ReadWrite, PrivateAnonymous, -1, 0);
        if (start == (byte*)-1 || Protect((nint)(start + _capacity), PageSize, 0) != 0)
        {
            throw new InvalidOperationException($"mmap failed: errno {Marshal.GetLastPInvokeError()}");
        }

        _end = start + _capacity;
    }

    /// <summary>The last bytes before the guard page.</summary>
    public Span<byte> Last(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _capacity);
        return new Span<byte>(_end - length, length);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);
}
