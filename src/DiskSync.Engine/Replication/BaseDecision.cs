using DiskSync.Codecs;
using DiskSync.Formats.Wire.Messages;

namespace DiskSync.Engine.Replication;

/// <summary>What a copy starts from, and what choosing it told of the destination.</summary>
/// <param name="Choice">How the base is named in OpenImage.</param>
/// <param name="Name">Its name where it is named, else empty.</param>
/// <param name="Root">Its root where the destination knows it, else unknown.</param>
/// <param name="MayHaveSeeds">False where the destination has listed its images and none of them is sealed with a map: there is nothing that a copy could take contents from.</param>
internal sealed record BaseDecision(BaseChoice Choice, string Name, Hash256 Root, bool MayHaveSeeds = true);
