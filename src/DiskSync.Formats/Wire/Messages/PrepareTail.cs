namespace DiskSync.Formats.Wire.Messages;

/// <summary>Source to destination: <see cref="Prepare"/> of images of which blocks are missing (<see cref="MissingBlocks"/>, docs/tail.md).</summary>
/// <remarks>Answered by <see cref="Prepared"/> or <see cref="Refused"/>. Capability Tail.</remarks>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">N+1, the epoch that the destination would own.</param>
/// <param name="Images">The images of the attempt; at least one, each once.</param>
/// <param name="Resume">The command or the hook's name that resumes the guest; may be empty.</param>
public sealed record PrepareTail(Guid Attempt, ulong Epoch, IReadOnlyList<TailImage> Images, string Resume) : Message;
