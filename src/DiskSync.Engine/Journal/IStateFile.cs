namespace DiskSync.Engine.Journal;

/// <summary>A small file of ours beside an image: a journal or a map.</summary>
/// <remarks>
/// Narrow on purpose, so that a simulated file can lose, reorder and tear everything that was not flushed (design
/// section 5, power cuts). Offsets and lengths are bytes. Calls come from one thread at a time. Nothing written is
/// durable before <see cref="Flush"/> has returned; a write may become durable, whole or in part, at any time before.
/// A failed flush is final: every later flush of the same object fails too.
/// Failures are <see cref="DiskSyncException"/> that name the file.
/// </remarks>
public interface IStateFile : IDisposable
{
    /// <summary>The file's name, for messages.</summary>
    string Name { get; }

    /// <summary>The length in bytes now.</summary>
    long Length { get; }

    /// <summary>Reads into the buffer.</summary>
    /// <returns>How many bytes were read; fewer than asked only where the file ends.</returns>
    int Read(long offset, Span<byte> buffer);

    /// <summary>The first byte at or after an offset that may be something else than zero, or <see cref="long.MaxValue"/> where none follows.</summary>
    /// <remarks>A hint that saves reading holes: a file that cannot tell answers with the offset itself.</remarks>
    long NextData(long offset) => offset < Length ? offset : long.MaxValue;

    /// <summary>Writes all of the data; a gap before the offset reads as zeros.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Cuts the file off or lengthens it with zeros.</summary>
    void SetLength(long length);

    /// <summary>Makes everything written so far durable, and the file's name with it.</summary>
    void Flush();
}
