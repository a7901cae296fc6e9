namespace DiskSync.Engine.Tracking;

/// <summary>The dirty bits of one stretch of an image, as they were taken from a <see cref="DirtyMap"/>.</summary>
/// <param name="Index">Which stretch: it begins at this times <see cref="DirtyMap.ChunkBytes"/>.</param>
/// <param name="Words">One bit for each <see cref="DirtyMap.Precision"/> bytes, the lowest bit first; the receiver's to keep.</param>
public readonly record struct DirtyChunk(int Index, ulong[] Words);
