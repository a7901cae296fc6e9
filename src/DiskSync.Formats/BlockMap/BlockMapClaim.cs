using System.Buffers.Binary;
using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>What a map file says of itself at its two ends, read without reading it whole.</summary>
/// <param name="Geometry">The image's geometry.</param>
/// <param name="Root">The root hash it claims.</param>
/// <param name="UnknownBlocks">How many blocks it claims to have no hash for.</param>
/// <remarks>Not proven: good for choosing among many files, and then <see cref="BlockMapReader"/> reads the chosen one.</remarks>
public readonly record struct BlockMapClaim(BlockGeometry Geometry, Hash256 Root, long UnknownBlocks)
{
    /// <summary>Reads the header and the end record.</summary>
    /// <param name="stream">A map file that can seek; it stands anywhere afterwards.</param>
    /// <exception cref="FormatViolationException">Either end is not that of a map file.</exception>
    public static BlockMapClaim Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Position = 0;
        BlockGeometry geometry = MapFormat.ReadHeader(new CheckedInput(stream, MapFormat.Name));
        long at = stream.Length - MapFormat.TailSize;
        if (at < MapFormat.HeaderSize)
        {
            throw new FormatViolationException(
                MapFormat.Name, stream.Length, "the end of the file", "an end record and a trailer");
        }

        Span<byte> tail = stackalloc byte[MapFormat.TailSize];
        stream.Position = at;
        int read = stream.ReadAtLeast(tail, tail.Length, throwOnEndOfStream: false);
        ulong blocks = BinaryPrimitives.ReadUInt64LittleEndian(tail[1..]);
        ulong unknown = BinaryPrimitives.ReadUInt64LittleEndian(tail[9..]);
        if (read != tail.Length || tail[0] != MapFormat.End || blocks != (ulong)geometry.BlockCount || unknown > blocks)
        {
            throw new FormatViolationException(
                MapFormat.Name, at, "no end record", "the end record of a map that was written whole");
        }

        return new BlockMapClaim(geometry, new Hash256(tail[17..]), (long)unknown);
    }
}
