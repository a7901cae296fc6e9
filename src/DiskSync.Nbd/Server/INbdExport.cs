using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>What a server serves: something of a fixed length that can be read and, where it is so, written.</summary>
/// <remarks>
/// Ranges have been validated before any of these is called: they lie within <see cref="Length"/>, are multiples of
/// <see cref="MinimumBlock"/>, and nothing that writes is called where <see cref="IsReadOnly"/> is set. Calls come from
/// several threads at once, on ranges that may overlap if a client makes them so. Failures are
/// <see cref="NbdExportException"/>; anything else that is thrown is answered as an I/O error.
/// </remarks>
public interface INbdExport
{
    /// <summary>By which clients ask for it; at most 4,096 bytes of UTF-8. The first export of a server is also the one without a name.</summary>
    string Name { get; }

    /// <summary>For humans.</summary>
    string Description { get; }

    /// <summary>Bytes.</summary>
    long Length { get; }

    /// <summary>Whether every write is refused.</summary>
    bool IsReadOnly { get; }

    /// <summary>What offsets and lengths have to be multiples of: a power of two, at most 64 KiB.</summary>
    int MinimumBlock { get; }

    /// <summary>What offsets and lengths had better be multiples of.</summary>
    int PreferredBlock { get; }

    /// <summary>Whether what was answered on one connection is made durable by a flush on any other.</summary>
    bool IsSharedByConnections { get; }

    /// <summary>The kinds of block status, as namespace:name; base:allocation among them.</summary>
    IReadOnlyList<string> StatusKinds { get; }

    /// <summary>Whether a request may have to wait for something that can take any time, as another host.</summary>
    /// <remarks>Such a request is given a thread of its own, so that it holds up no other. Once it is false for a range it stays so.</remarks>
    /// <param name="offset">The range's start.</param>
    /// <param name="length">The range's length.</param>
    /// <param name="isWrite">Whether it writes: data, or zeros.</param>
    bool MayWait(long offset, long length, bool isWrite) => false;

    /// <summary>Fills the buffer where that needs no waiting for a medium.</summary>
    /// <returns>False where it would have to wait; the buffer's content means nothing then.</returns>
    bool TryReadNow(long offset, Span<byte> buffer);

    /// <summary>Fills the buffer.</summary>
    void Read(long offset, Span<byte> buffer);

    /// <summary>Writes; durable after the next <see cref="Flush"/>.</summary>
    void Write(long offset, ReadOnlySpan<byte> data);

    /// <summary>Makes a range read as zeros.</summary>
    /// <param name="offset">Its start.</param>
    /// <param name="length">Its length.</param>
    /// <param name="mayPunch">Whether its space may be released.</param>
    /// <param name="fastOnly">Whether to do nothing, and return false, where that would be no faster than to write zeros.</param>
    bool Zero(long offset, long length, bool mayPunch, bool fastOnly);

    /// <summary>What a range holds is of no interest any more.</summary>
    void Trim(long offset, long length);

    /// <summary>Has a range read into the cache.</summary>
    void Cache(long offset, long length);

    /// <summary>Makes everything durable that was answered before.</summary>
    void Flush();

    /// <summary>What a range is like: extents without gaps from its start, which may end early or pass its end.</summary>
    /// <param name="kind">An index of <see cref="StatusKinds"/>.</param>
    /// <param name="offset">The range's start.</param>
    /// <param name="length">The range's length.</param>
    IEnumerable<NbdExtent> Status(int kind, long offset, long length);
}
