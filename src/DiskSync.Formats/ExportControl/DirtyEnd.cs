namespace DiskSync.Formats.ExportControl;

/// <summary>All that was dirty has been told.</summary>
/// <param name="Chunks">How many <see cref="DirtyBits"/> came before.</param>
public sealed record DirtyEnd(uint Chunks) : ControlMessage;
