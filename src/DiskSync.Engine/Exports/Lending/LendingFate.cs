namespace DiskSync.Engine.Exports.Lending;

/// <summary>What has become of an image after the migration that it was lent to has ended.</summary>
/// <param name="Kind">Whose it is.</param>
/// <param name="Reason">Why it is not this host's, for messages; empty where it is.</param>
public readonly record struct LendingFate(LendingFateKind Kind, string Reason);
