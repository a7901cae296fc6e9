namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="ListBases"/>.</summary>
/// <param name="Offers">At most <see cref="WireLimits.MaxBases"/>.</param>
public sealed record Bases(IReadOnlyList<BaseOffer> Offers) : Message;
