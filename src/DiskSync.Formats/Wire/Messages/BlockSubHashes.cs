namespace DiskSync.Formats.Wire.Messages;

/// <summary>The short hashes of a block's 4 KiB sub-blocks.</summary>
/// <param name="Block">The block's number.</param>
/// <param name="Prefixes">For each sub-block the first 8 bytes, little-endian, of its BLAKE3 chaining value; empty where unknown.</param>
public readonly record struct BlockSubHashes(ulong Block, ulong[] Prefixes);
