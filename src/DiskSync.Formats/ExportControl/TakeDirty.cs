namespace DiskSync.Formats.ExportControl;

/// <summary>Asks for what was written, answered by <see cref="DirtyBits"/>, any number of them, and <see cref="DirtyEnd"/>.</summary>
/// <param name="Since">From when.</param>
public sealed record TakeDirty(DirtySince Since) : ControlMessage;
