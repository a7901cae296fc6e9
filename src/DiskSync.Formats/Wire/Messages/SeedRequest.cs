using DiskSync.Codecs;

namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: does any image there hold these contents, so that they need not travel?</summary>
/// <param name="Hashes">At most <see cref="WireLimits.MaxSeeds"/> known hashes of blocks of the image's granularity.</param>
public sealed record SeedRequest(IReadOnlyList<Hash256> Hashes) : Message;
