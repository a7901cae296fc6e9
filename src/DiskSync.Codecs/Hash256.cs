using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace DiskSync.Codecs;

/// <summary>A 256-bit BLAKE3 output as a value: a block hash, a tree node or a root hash.</summary>
/// <remarks>
/// 32 bytes, compared as four words. The all-zero value is <see cref="Unknown"/>: it stands for "nobody has
/// hashed this yet" and is never accepted as the hash of any content (BLAKE3 yields it with probability 2^-256).
/// Immutable and safe to share between threads.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Hash256 : IEquatable<Hash256>
{
    /// <summary>The length of a hash in bytes.</summary>
    public const int Size = 32;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Reads a hash from its 32 bytes.</summary>
    /// <param name="bytes">At least <see cref="Size"/> bytes; the first 32 are taken.</param>
    /// <exception cref="ArgumentException">Fewer than 32 bytes were given.</exception>
    public Hash256(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size)
        {
            throw new ArgumentException($"a hash has {Size} bytes, not {bytes.Length}", nameof(bytes));
        }

        this = MemoryMarshal.Read<Hash256>(bytes);
    }

    /// <summary>The value that stands for "not known"; 32 zero bytes.</summary>
    public static Hash256 Unknown => default;

    /// <summary>True for <see cref="Unknown"/>.</summary>
    public bool IsUnknown => (_a | _b | _c | _d) == 0;

    /// <summary>Compares two hashes.</summary>
    public static bool operator ==(Hash256 left, Hash256 right) => left.Equals(right);

    /// <summary>Compares two hashes.</summary>
    public static bool operator !=(Hash256 left, Hash256 right) => !left.Equals(right);

    /// <summary>Reads 64 hexadecimal digits.</summary>
    /// <returns>False where the text is not exactly 64 hexadecimal digits.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out Hash256 hash)
    {
        Span<byte> bytes = stackalloc byte[Size];
        hash = default;
        if (text.Length != Size * 2
            || Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        hash = new Hash256(bytes);
        return true;
    }

    /// <summary>Writes the 32 bytes.</summary>
    /// <param name="destination">At least <see cref="Size"/> bytes.</param>
    public void CopyTo(Span<byte> destination) => MemoryMarshal.Write(destination, in this);

    /// <inheritdoc/>
    public bool Equals(Hash256 other) =>
        ((_a ^ other._a) | (_b ^ other._b) | (_c ^ other._c) | (_d ^ other._d)) == 0;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is Hash256 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)_a ^ (int)(_b >> 32);

    /// <summary>The hash as 64 lower-case hexadecimal digits, as <c>b3sum</c> prints it.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
