namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync map</c>.</summary>
/// <param name="Image">The image as named.</param>
/// <param name="Root">The root hash, 64 hexadecimal digits.</param>
/// <param name="Granularity">Block size in bytes.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Blocks">Its blocks.</param>
/// <param name="ZeroBlocks">Blocks that read as zeros.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="File">The map file written; absent without <c>-o</c>.</param>
internal sealed record MapResult(
    string Image, string Root, int Granularity, long Length, long Blocks, long ZeroBlocks, double Seconds, string? File);
