namespace DiskSync.Formats.Wire.Messages;

/// <summary>Offers to serve what an image that was handed over still misses: from the answer on the connection belongs to NBD.</summary>
/// <remarks>Answered by <see cref="Serving"/>, or by <see cref="AttemptStatus"/> where nothing is missing, or no longer.</remarks>
/// <param name="Attempt">The attempt by which it was handed over.</param>
/// <param name="Epoch">The attempt's epoch.</param>
/// <param name="Place">The image's place in the list of the attempt's Prepare.</param>
/// <param name="Use">What the connection is for.</param>
public sealed record Serve(Guid Attempt, ulong Epoch, ushort Place, ServeUse Use) : Message;
