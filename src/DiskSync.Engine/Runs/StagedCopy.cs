namespace DiskSync.Engine.Runs;

/// <summary>Something of ours that stands beside images: a staged copy, or what is left of one.</summary>
/// <param name="Image">The path that the image would have.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Files">The files that belong to it.</param>
/// <param name="Length">The image's length in bytes, 0 where it is not known.</param>
/// <param name="AllocatedBytes">What all of it takes on disk.</param>
/// <param name="LastWritten">When it was written last.</param>
/// <param name="InUse">Whether a run is writing it now.</param>
/// <param name="State">A sentence: what of it is proven, or what is wrong with it.</param>
public sealed record StagedCopy(
    string Image,
    StagedKind Kind,
    IReadOnlyList<string> Files,
    long Length,
    long AllocatedBytes,
    DateTimeOffset LastWritten,
    bool InUse,
    string State);
