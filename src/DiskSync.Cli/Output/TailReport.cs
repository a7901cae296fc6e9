namespace DiskSync.Cli.Output;

/// <summary>What <c>disksync tail --json</c> prints.</summary>
/// <param name="Image">The image.</param>
/// <param name="Missing">Bytes that are still at the source, in whole parts of 4 KiB.</param>
/// <param name="Length">The image's length in bytes.</param>
/// <param name="Written">Bytes that were written here since the hand-over.</param>
/// <param name="Linked">Whether the source is connected.</param>
/// <param name="FailMissing">Whether what needs a missing part fails while it is not.</param>
/// <param name="Trouble">What went wrong last, or empty.</param>
internal sealed record TailReport(string Image, long Missing, long Length, long Written, bool Linked, bool FailMissing, string Trouble);
