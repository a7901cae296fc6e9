namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source, the answer to <see cref="QueryTail"/>.</summary>
/// <param name="Attempt">As asked.</param>
/// <param name="State">As in <see cref="AttemptStatus"/>.</param>
/// <param name="Epoch">As in <see cref="AttemptStatus"/>.</param>
/// <param name="MissingBytes">Bytes of all images of the attempt that are missing, as their presence maps say durably; <see cref="ulong.MaxValue"/> where that cannot be told.</param>
public sealed record TailStatus(Guid Attempt, AttemptState State, ulong Epoch, ulong MissingBytes) : Message;
