namespace DiskSync.Formats.ExportControl;

/// <summary>Slows writes, or lets them go; answered by <see cref="Done"/>.</summary>
/// <param name="Rate">Bytes a second; 0 for no limit.</param>
/// <param name="CeilingMs">The longest that one write may be kept, in milliseconds.</param>
public sealed record SlowWrites(ulong Rate, uint CeilingMs) : ControlMessage;
