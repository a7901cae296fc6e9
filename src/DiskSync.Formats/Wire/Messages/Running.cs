namespace DiskSync.Formats.Wire.Messages;

/// <summary>Destination to source: the resume command has ended; RUNNING is durable where it succeeded.</summary>
/// <param name="Attempt">Names the attempt.</param>
/// <param name="Epoch">The epoch.</param>
/// <param name="ExitCode">The resume command's exit code, 0 where there was none.</param>
/// <param name="Output">The end of what it printed.</param>
public sealed record Running(Guid Attempt, ulong Epoch, int ExitCode, string Output) : Message;
