using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Equal neighbours of a map level.</summary>
/// <param name="Count">How many, at least 1.</param>
/// <param name="Hash">Their hash.</param>
public readonly record struct HashRun(uint Count, Hash256 Hash);
