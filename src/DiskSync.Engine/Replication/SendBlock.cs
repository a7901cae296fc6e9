using DiskSync.Codecs;

namespace DiskSync.Engine.Replication;

/// <summary>A changed block that waits in a batch's buffer.</summary>
/// <param name="Block">Its number.</param>
/// <param name="Slot">Its place in the batch's buffer, in units of the granularity.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">The hash of the bytes in the buffer, which are the bytes that will be sent.</param>
/// <param name="Basis">What a patch could start from at the destination.</param>
internal readonly record struct SendBlock(long Block, int Slot, int Length, Hash256 Hash, PatchBasis Basis);
