using DiskSync.Formats.Delta;

namespace DiskSync.Cli.Output;

/// <summary>The JSON object of <c>disksync delta</c>.</summary>
/// <param name="Base">The base as named.</param>
/// <param name="Image">The image as named.</param>
/// <param name="File">The delta file.</param>
/// <param name="Granularity">Block size in bytes.</param>
/// <param name="BaseLength">Bytes.</param>
/// <param name="ImageLength">Bytes.</param>
/// <param name="BaseRoot">The base's root hash.</param>
/// <param name="ImageRoot">The image's root hash.</param>
/// <param name="ChangedBlocks">Blocks that the delta changes.</param>
/// <param name="PayloadBytes">Bytes of content in it, after compression.</param>
/// <param name="FileBytes">Length of the file.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record DeltaResult(
    string Base,
    string Image,
    string File,
    int Granularity,
    long BaseLength,
    long ImageLength,
    string BaseRoot,
    string ImageRoot,
    long ChangedBlocks,
    long PayloadBytes,
    long FileBytes,
    double Seconds)
{
    /// <summary>The object of a delta just written.</summary>
    public static DeltaResult From(
        string baseName, string imageName, string file, DeltaSummary summary, long fileBytes, double seconds) => new(
            baseName,
            imageName,
            file,
            summary.NewGeometry.Granularity,
            summary.OldGeometry.Length,
            summary.NewGeometry.Length,
            summary.OldRoot.ToString(),
            summary.NewRoot.ToString(),
            summary.Blocks,
            summary.PayloadBytes,
            fileBytes,
            Math.Round(seconds, 3));
}
