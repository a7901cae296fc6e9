using DiskSync.Codecs;

namespace DiskSync.Formats.Delta;

/// <summary>The constants of the delta file (FORMAT.md).</summary>
internal static class DeltaFormat
{
    public const string Name = "delta";
    public const ushort Version = 1;
    public const byte End = 0xFF;

    /// <summary>kind, reserved, count, block, old hash, new hash, payload length, reserved.</summary>
    public const int RecordSize = 88;

    /// <summary>kind, reserved, records, blocks, payload bytes, old root, new root.</summary>
    public const int EndSize = 96;

    /// <summary>What record and end begin with: kind, 3 reserved bytes, u32 count.</summary>
    public const int PrefixSize = 8;

    public static ReadOnlySpan<byte> Magic => "DSyncDlt"u8;

    /// <summary>Whether roots and lengths fit the number of blocks changed: a delta of nothing is the only one between equal images.</summary>
    public static bool FitsRoots(DeltaSummary summary) =>
        !summary.OldRoot.IsUnknown && !summary.NewRoot.IsUnknown
        && (summary.OldRoot == summary.NewRoot) == (summary.Blocks == 0 && summary.OldGeometry == summary.NewGeometry);

    /// <summary>The hash a block of the old image may be compared with: unknown where there was none.</summary>
    public static bool IsOldHash(in Hash256 hash, bool past) => hash.IsUnknown == past;
}
