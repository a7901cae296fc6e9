using DiskSync.Codecs;

namespace DiskSync.Formats.BlockMap;

/// <summary>The constants of the map file (FORMAT.md).</summary>
internal static class MapFormat
{
    public const string Name = "block map file";
    public const ushort Version = 1;
    public const byte Repeat = 1;
    public const byte Literal = 2;
    public const byte End = 3;
    public const int MaxLiteral = 1024;
    public const int HeaderSize = 32;

    /// <summary>The end record and the trailer, by which the root is found from the end of the file.</summary>
    public const int TailSize = 1 + 8 + 8 + Hash256.Size + Hash256.Size;

    public static ReadOnlySpan<byte> Magic => "DSyncMap"u8;

    /// <summary>Reads a header.</summary>
    public static BlockGeometry ReadHeader(CheckedInput input)
    {
        input.Magic(Magic, Version);
        ushort reserved = input.UInt16("reserved");
        if (reserved != 0)
        {
            throw input.Violation($"{reserved}", "zero where it is reserved", sizeof(ushort));
        }

        uint granularity = input.UInt32("granularity");
        ulong length = input.UInt64("length");
        if (!BlockGeometry.TryCreate((long)length, granularity, out BlockGeometry geometry))
        {
            throw input.Violation($"granularity {granularity}, length {length}", "a geometry within the limits", 12);
        }

        ulong blocks = input.UInt64("block count");
        return blocks == (ulong)geometry.BlockCount
            ? geometry
            : throw input.Violation($"{blocks} blocks", $"{geometry.BlockCount}, as the length says", sizeof(ulong));
    }
}
