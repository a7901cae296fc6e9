using System.Buffers.Binary;
using System.Numerics;
using DiskSync.Codecs;
using DiskSync.Formats.BlockMap;

namespace DiskSync.Formats.Wire;

/// <summary>The payload of a <see cref="BlockKind.Patch"/>: those 4 KiB sub-blocks of a block that changed.</summary>
/// <remarks>
/// u32 flags (bit 0: the sub-blocks are one LZ4 block) | bitmap, one bit for each sub-block, lowest bit first, in
/// whole bytes, unused bits zero | the sub-blocks whose bits are set, one after the other; the block's last one may be
/// short. Also the payload of a patch record in a delta file. A view over the payload; allocates nothing.
/// </remarks>
public readonly ref struct PatchPayload
{
    private const uint FlagLz4 = 1;
    private readonly ReadOnlySpan<byte> _body;
    private readonly int _blockLength;

    private PatchPayload(ReadOnlySpan<byte> bitmap, ReadOnlySpan<byte> body, bool compressed, int changed, int blockLength)
    {
        Bitmap = bitmap;
        _body = body;
        IsCompressed = compressed;
        ChangedBytes = changed;
        _blockLength = blockLength;
    }

    /// <summary>One bit for each sub-block of the block, lowest bit first.</summary>
    public ReadOnlySpan<byte> Bitmap { get; }

    /// <summary>Whether the sub-blocks are compressed.</summary>
    public bool IsCompressed { get; }

    /// <summary>How many bytes of the block the patch replaces.</summary>
    public int ChangedBytes { get; }

    /// <summary>How many sub-blocks a block of some length has.</summary>
    public static int SubBlocksOf(int blockLength) =>
        (blockLength + BlockGeometry.SubBlockSize - 1) / BlockGeometry.SubBlockSize;

    /// <summary>How many bytes the bitmap of a block of some length has.</summary>
    public static int BitmapLength(int blockLength) => (SubBlocksOf(blockLength) + 7) / 8;

    /// <summary>The most bytes the payload of a block of some length can have.</summary>
    public static int MaxLength(int blockLength) => sizeof(uint) + BitmapLength(blockLength) + blockLength;

    /// <summary>Whether a bitmap marks a sub-block.</summary>
    public static bool IsMarked(ReadOnlySpan<byte> bitmap, int subBlock) => (bitmap[subBlock >> 3] >> (subBlock & 7) & 1) != 0;

    /// <summary>Checks a payload.</summary>
    /// <param name="payload">The payload.</param>
    /// <param name="blockLength">The true length of the block that it patches.</param>
    /// <exception cref="FormatViolationException">Unknown flags, no bit or a bit past the block set, or a length that does not match the bits.</exception>
    public static PatchPayload Read(ReadOnlySpan<byte> payload, int blockLength) =>
        Read(payload, blockLength, "patch payload", 0);

    /// <summary>Writes a payload.</summary>
    /// <param name="block">The block's new content.</param>
    /// <param name="bitmap"><see cref="BitmapLength"/> bytes: which sub-blocks changed; at least one.</param>
    /// <param name="compress">Whether to try LZ4; sub-blocks that do not shrink are sent as they are.</param>
    /// <param name="scratch">As long as the block where <paramref name="compress"/> is set.</param>
    /// <param name="payload">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The payload's length.</returns>
    public static int Build(
        ReadOnlySpan<byte> block, ReadOnlySpan<byte> bitmap, bool compress, Span<byte> scratch, Span<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(payload.Length, MaxLength(block.Length));
        ArgumentOutOfRangeException.ThrowIfNotEqual(bitmap.Length, BitmapLength(block.Length));
        Span<byte> body = payload[(sizeof(uint) + bitmap.Length)..];
        Span<byte> gathered = compress ? scratch : body;
        int length = 0;
        for (int i = 0; i < SubBlocksOf(block.Length); i++)
        {
            if (IsMarked(bitmap, i))
            {
                ReadOnlySpan<byte> part = SubBlock(block, i);
                part.CopyTo(gathered[length..]);
                length += part.Length;
            }
        }

        ArgumentOutOfRangeException.ThrowIfZero(length, nameof(bitmap));
        int packed = compress ? Lz4.Compress(gathered[..length], body[..(length - 1)]) : 0;
        if (compress && packed == 0)
        {
            gathered[..length].CopyTo(body);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(payload, packed == 0 ? 0 : FlagLz4);
        bitmap.CopyTo(payload[sizeof(uint)..]);
        return sizeof(uint) + bitmap.Length + (packed == 0 ? length : packed);
    }

    /// <summary>Puts the changed sub-blocks into a block.</summary>
    /// <param name="block">The block's old content, exactly its true length; the new content afterwards. Its hash is not checked here.</param>
    /// <param name="scratch">At least <see cref="ChangedBytes"/> bytes where <see cref="IsCompressed"/>.</param>
    /// <exception cref="FormatViolationException">The LZ4 data is broken or of another length; <paramref name="block"/> is untouched.</exception>
    public void ApplyTo(Span<byte> block, Span<byte> scratch)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(block.Length, _blockLength);
        ReadOnlySpan<byte> changed = _body;
        if (IsCompressed)
        {
            Span<byte> unpacked = scratch[..ChangedBytes];
            if (!Lz4.TryDecompress(_body, unpacked))
            {
                throw new FormatViolationException(
                    "patch payload", sizeof(uint) + Bitmap.Length, $"{_body.Length} bytes of bad LZ4", $"LZ4 of {ChangedBytes} bytes");
            }

            changed = unpacked;
        }

        for (int i = 0; i < SubBlocksOf(block.Length); i++)
        {
            if (IsMarked(Bitmap, i))
            {
                int at = i * BlockGeometry.SubBlockSize;
                int length = Math.Min(BlockGeometry.SubBlockSize, block.Length - at);
                changed[..length].CopyTo(block[at..]);
                changed = changed[length..];
            }
        }
    }

    /// <summary>As the public Read, with the place for the exception's message.</summary>
    internal static PatchPayload Read(ReadOnlySpan<byte> payload, int blockLength, string format, long origin)
    {
        int headerLength = sizeof(uint) + BitmapLength(blockLength);
        if (payload.Length <= headerLength)
        {
            throw new FormatViolationException(format, origin, $"a patch of {payload.Length} bytes", $"more than {headerLength}");
        }

        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        if ((flags & ~FlagLz4) != 0)
        {
            throw new FormatViolationException(format, origin, $"patch flags 0x{flags:x}", "0 or 1");
        }

        ReadOnlySpan<byte> bitmap = payload[sizeof(uint)..headerLength];
        ReadOnlySpan<byte> body = payload[headerLength..];
        int changed = CountBytes(bitmap, blockLength);
        bool compressed = flags == FlagLz4;
        if (changed <= 0 || (compressed ? body.Length > changed : body.Length != changed))
        {
            throw new FormatViolationException(
                format,
                origin + sizeof(uint),
                $"bitmap {Convert.ToHexStringLower(bitmap)} and {body.Length} bytes",
                "a bit for each sub-block that follows, and at least one");
        }

        return new PatchPayload(bitmap, body, compressed, changed, blockLength);
    }

    private static ReadOnlySpan<byte> SubBlock(ReadOnlySpan<byte> block, int index)
    {
        int at = index * BlockGeometry.SubBlockSize;
        return block.Slice(at, Math.Min(BlockGeometry.SubBlockSize, block.Length - at));
    }

    /// <summary>How many bytes the set bits stand for; -1 where a bit past the last sub-block is set.</summary>
    private static int CountBytes(ReadOnlySpan<byte> bitmap, int blockLength)
    {
        int subBlocks = SubBlocksOf(blockLength);
        int bits = 0;
        foreach (byte value in bitmap)
        {
            bits += BitOperations.PopCount(value);
        }

        int used = subBlocks & 7;
        if (used != 0 && bitmap[^1] >> used != 0)
        {
            return -1;
        }

        bool lastSet = IsMarked(bitmap, subBlocks - 1);
        int shortBy = (subBlocks * BlockGeometry.SubBlockSize) - blockLength;
        return (bits * BlockGeometry.SubBlockSize) - (lastSet ? shortBy : 0);
    }
}
