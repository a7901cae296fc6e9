using DiskSync.Formats.BlockMap;

namespace DiskSync.Engine.Comparison;

/// <summary>A chunk of an image together with what the base's map says about it.</summary>
/// <param name="Chunk">The blocks.</param>
/// <param name="Old">The map's runs, covering the chunk's blocks up to the base's end; null where the base is an image.</param>
internal readonly record struct DeltaChunk(ImageChunk Chunk, List<MapRun>? Old);
