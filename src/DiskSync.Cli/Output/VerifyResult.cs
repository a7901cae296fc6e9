namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync verify</c>.</summary>
/// <param name="Image">The image as named.</param>
/// <param name="Other">What it was compared with, as named.</param>
/// <param name="OtherKind">"image", "map" or "root".</param>
/// <param name="Same">Whether they are the same.</param>
/// <param name="Granularity">Block size in bytes.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="OtherLength">The other's length; absent for a root hash.</param>
/// <param name="DifferentBlocks">How many blocks differ; absent for a root hash.</param>
/// <param name="FirstDifference">Where; the offset of a byte (image) or of a block (map); absent where same or unknown.</param>
/// <param name="Root">The image's root hash; absent where images were compared directly.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record VerifyResult(
    string Image,
    string Other,
    string OtherKind,
    bool Same,
    int Granularity,
    long Length,
    long? OtherLength,
    long? DifferentBlocks,
    long? FirstDifference,
    string? Root,
    double Seconds);
