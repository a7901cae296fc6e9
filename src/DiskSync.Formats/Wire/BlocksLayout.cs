namespace DiskSync.Formats.Wire;

/// <summary>Offsets in the body of a Blocks frame (PROTOCOL.md), shared by reader and writer.</summary>
internal static class BlocksLayout
{
    /// <summary>fence, batch, round, entry count, flags.</summary>
    public const int PrefixSize = 24;

    public const int FenceAt = 0;
    public const int BatchAt = 8;
    public const int RoundAt = 16;
    public const int CountAt = 20;
    public const int FlagsAt = 22;

    /// <summary>The flag that says that the payload is one zstd frame.</summary>
    public const ushort Packed = 1;

    /// <summary>kind, flags, reserved, count, block, hash, payload length, reserved.</summary>
    public const int EntrySize = 56;

    public const int EntryCountAt = 4;
    public const int EntryBlockAt = 8;
    public const int EntryHashAt = 16;
    public const int EntryPayloadAt = 48;
    public const int EntryReservedAt = 52;

    /// <summary>The payload of a Copy entry: the source block's number.</summary>
    public const int CopyPayload = sizeof(ulong);

    /// <summary>Where the entry table ends and the payload starts.</summary>
    public static long TableEnd(uint entries) => PrefixSize + ((long)entries * EntrySize);
}
