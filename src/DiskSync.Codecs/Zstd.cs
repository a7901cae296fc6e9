using System.Runtime.InteropServices;

namespace DiskSync.Codecs;

/// <summary>What there is of zstd on this system (RFC 8878): the library is the system's own, libzstd.so.1.</summary>
/// <remarks>
/// Every Debian has it (dpkg and systemd need it). Where it is missing nothing fails: <see cref="IsAvailable"/> is
/// false and whoever would use it does without. Thread safe.
/// </remarks>
public static class Zstd
{
    // ZSTD_compress2 and its parameters are stable since 1.4.0.
    private const uint OldestVersion = 10400;

    private static readonly Lazy<bool> Available = new(Probe);

    /// <summary>Whether the library can be used.</summary>
    public static bool IsAvailable => Available.Value;

    /// <summary>The version of the library, such as 1.5.4.</summary>
    /// <exception cref="DllNotFoundException">It is not available.</exception>
    public static Version Version
    {
        get
        {
            uint number = ZstdNative.VersionNumber();
            return new Version((int)(number / 10000), (int)(number / 100 % 100), (int)(number % 100));
        }
    }

    /// <summary>The fastest level that <see cref="ZstdCompressor"/> takes here; negative levels are faster than 1.</summary>
    public const int MinLevel = -10;

    /// <summary>The strongest level that <see cref="ZstdCompressor"/> takes here; what lies above costs memory that pays only for far larger inputs.</summary>
    public const int MaxLevel = 19;

    /// <summary>The room that is enough for any input of this length, in bytes.</summary>
    /// <param name="length">Input bytes, 0 or more.</param>
    /// <exception cref="DllNotFoundException">The library is not available.</exception>
    public static int MaxCompressedLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return checked((int)ZstdNative.CompressBound((nuint)length));
    }

    private static bool Probe()
    {
        // TryLoad first: a missing library is no exception then, which would be slow in every start without it.
        if (!NativeLibrary.TryLoad(ZstdNative.Library, typeof(Zstd).Assembly, null, out nint library))
        {
            return false;
        }

        // Never freed: the imports use it from now on.
        return NativeLibrary.TryGetExport(library, "ZSTD_compress2", out _) && ZstdNative.VersionNumber() >= OldestVersion;
    }
}
