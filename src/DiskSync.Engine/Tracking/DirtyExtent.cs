namespace DiskSync.Engine.Tracking;

/// <summary>Neighbouring bytes of an image that were all written, or all not.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="IsDirty">Whether they were written.</param>
public readonly record struct DirtyExtent(long Length, bool IsDirty);
