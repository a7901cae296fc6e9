using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats;

/// <summary>Reads a file that ends with the BLAKE3 of everything before.</summary>
/// <remarks>
/// Memory grows only as bytes really arrive. What it hands out is valid until the next read. The stream is read
/// forward from where it stands, stays open and belongs to the caller.
/// </remarks>
internal sealed class CheckedInput(Stream stream, string format)
{
    private const int Chunk = 64 << 10;
    private readonly Blake3Hasher _hasher = new();
    private byte[] _buffer = new byte[Chunk];
    private int _start;
    private int _end;

    /// <summary>The offset of the next byte.</summary>
    public long Offset { get; private set; }

    /// <summary>Takes the next bytes.</summary>
    /// <param name="count">How many; the caller has checked it against its cap.</param>
    /// <param name="what">What they are, for the message where they are not there.</param>
    public ReadOnlySpan<byte> Take(int count, string what) => TakeMemory(count, what).Span;

    /// <inheritdoc cref="Take"/>
    public ReadOnlyMemory<byte> TakeMemory(int count, string what)
    {
        ReadOnlyMemory<byte> bytes = Require(count, what);
        _hasher.Update(bytes.Span);
        return bytes;
    }

    public byte Byte(string what) => Take(1, what)[0];

    public ushort UInt16(string what) => BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort), what));

    public uint UInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint), what));

    public ulong UInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong), what));

    public Hash256 Hash(string what) => new(Take(Hash256.Size, what));

    /// <summary>Reads the magic and the version.</summary>
    public void Magic(ReadOnlySpan<byte> magic, ushort version)
    {
        ReadOnlySpan<byte> found = Take(magic.Length, "magic");
        if (!found.SequenceEqual(magic))
        {
            throw Violation(Convert.ToHexStringLower(found), $"the magic {Convert.ToHexStringLower(magic)}", magic.Length);
        }

        ushort number = UInt16("version");
        if (number != version)
        {
            throw Violation($"version {number}", $"version {version}, which this program reads", sizeof(ushort));
        }
    }

    /// <summary>Checks the trailer and that the file ends with it.</summary>
    public void Trailer()
    {
        Hash256 actual = _hasher.Finalize();
        var stored = new Hash256(Require(Hash256.Size, "trailer").Span);
        if (stored != actual)
        {
            throw Violation($"the check {stored}", $"{actual}, the BLAKE3 of everything before: the file is damaged", Hash256.Size);
        }

        if (Fill(1) != 0)
        {
            throw Violation("more bytes", "the end of the file");
        }
    }

    /// <summary>Makes the exception for what was just read.</summary>
    public FormatViolationException Violation(string found, string expected, int back = 0) =>
        new(format, Offset - back, found, expected);

    private ReadOnlyMemory<byte> Require(int count, string what)
    {
        int there = Fill(count);
        if (there < count)
        {
            throw Violation($"the end of the file after {there} bytes", $"{what} ({count} bytes)");
        }

        ReadOnlyMemory<byte> bytes = _buffer.AsMemory(_start, count);
        _start += count;
        Offset += count;
        return bytes;
    }

    /// <summary>Makes so many bytes available and says how many there are, at most that.</summary>
    private int Fill(int count)
    {
        while (_end - _start < count)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            if (_end == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            int read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                break;
            }

            _end += read;
        }

        return Math.Min(_end - _start, count);
    }
}
