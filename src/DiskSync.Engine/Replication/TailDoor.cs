using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>What becomes of a source's offer to serve what an image still misses.</summary>
/// <param name="Image">The image, for messages.</param>
/// <param name="SocketPath">Where the image's export listens, or will; empty where nothing is missing.</param>
/// <param name="Standing">How the attempt stands where nothing is missing; null where something is.</param>
public sealed record TailDoor(string Image, string SocketPath, AttemptStatus? Standing);
