namespace DiskSync.Formats.SavedMap;

/// <summary>What follows the kind in an identity: the same 80 bytes in every record that has one (FORMAT.md, from the boot id on).</summary>
internal static class SourceIdentityCodec
{
    private const ushort FileKind = 1;
    private const ushort DeviceKind = 2;

    /// <summary>The kind, which stands by itself at the head of a record.</summary>
    public static void WriteKind(SourceIdentity identity, FieldWriter writer) => writer.UInt16(identity.IsDevice ? DeviceKind : FileKind);

    /// <summary>Reads the kind.</summary>
    /// <returns>Whether it is a device.</returns>
    public static bool ReadKind(ref FieldReader reader)
    {
        ushort kind = reader.UInt16("kind");
        return kind is FileKind or DeviceKind
            ? kind == DeviceKind
            : throw reader.Violation($"kind {kind}", "1 for a file or 2 for a device", sizeof(ushort));
    }

    /// <summary>Writes all but the kind.</summary>
    public static void Write(SourceIdentity identity, FieldWriter writer)
    {
        writer.Guid(identity.Boot);
        writer.UInt64(identity.Device);
        writer.UInt64(identity.DiskSequence);
        writer.UInt64(identity.Inode);
        writer.Int64(identity.BirthNs);
        writer.Int64(identity.ChangedNs);
        writer.UInt64(identity.FileSystemType);
        writer.UInt64(identity.FileSystemId);
        writer.UInt64(identity.SectorsChanged);
    }

    /// <summary>Reads all but the kind.</summary>
    public static SourceIdentity Read(bool isDevice, ref FieldReader reader) => new(
        isDevice,
        reader.Guid("boot id"),
        reader.UInt64("device"),
        reader.UInt64("disk sequence"),
        reader.UInt64("inode"),
        reader.Int64("birth time"),
        reader.Int64("change time"),
        reader.UInt64("file system type"),
        reader.UInt64("file system id"),
        reader.UInt64("sectors changed"));
}
