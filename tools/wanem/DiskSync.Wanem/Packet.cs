namespace DiskSync.Wanem;

/// <summary>A packet on its way.</summary>
/// <param name="Slot">Where its bytes are, in the <see cref="PacketPool"/>.</param>
/// <param name="Length">How many.</param>
/// <param name="Due">When it arrives, in nanoseconds.</param>
internal readonly record struct Packet(int Slot, int Length, long Due);
