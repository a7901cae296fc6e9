namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: step 1 of the hand-over, for all images of the attempt.</summary>
/// <remarks>Answered by <see cref="Prepared"/> or <see cref="Refused"/>. Sent with the machine paused and the last round sent; at least one image, each once.</remarks>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">N+1, the epoch that the destination would own.</param>
/// <param name="Images">The images of the attempt and the roots they must have.</param>
/// <param name="Resume">The command or the hook's name that resumes the guest; may be empty.</param>
public sealed record Prepare(Guid Attempt, ulong Epoch, IReadOnlyList<ImageRoot> Images, string Resume) : Message;
