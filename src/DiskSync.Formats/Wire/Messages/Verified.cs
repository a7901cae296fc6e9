using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="Verify"/>.</summary>
/// <param name="Number">As asked.</param>
/// <param name="Root">The root of what the destination holds.</param>
/// <param name="BytesRead">How much was read back.</param>
/// <param name="Wrong">Blocks that read back differently, at most <see cref="WireLimits.MaxWrongBlocks"/>; their true hashes are now in the map.</param>
/// <param name="More">Whether more blocks were wrong than the list holds.</param>
public sealed record Verified(
    ulong Number,
    Hash256 Root,
    ulong BytesRead,
    IReadOnlyList<ulong> Wrong,
    bool More) : Message;
