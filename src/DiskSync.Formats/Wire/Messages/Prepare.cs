namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: step 1 of the hand-over, for all images of the attempt.</summary>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">N+1, the epoch that the destination would own.</param>
/// <param name="Images">The images of the attempt and the roots they must have.</param>
/// <param name="Resume">The command or the hook's name that resumes the guest; may be empty.</param>
public sealed record Prepare(Guid Attempt, ulong Epoch, IReadOnlyList<ImageRoot> Images, string Resume) : Message;
