using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.TestSupport;

/// <summary>An export in memory, which knows holes in pieces of 4 KiB and can be told to fail or to wait.</summary>
/// <remarks>Thread safe as far as ranges do not overlap. Nothing is durable, as nothing has to be.</remarks>
/// <param name="length">Bytes.</param>
public sealed class MemoryExport(int length) : INbdExport
{
    private const int Piece = 4096;
    private readonly Lock _lock = new();

    /// <summary>What is in it; tests may look and change.</summary>
    public byte[] Content { get; } = new byte[length];

    /// <inheritdoc/>
    public string Name { get; init; } = "disk";

    /// <inheritdoc/>
    public string Description { get; init; } = "a disk in memory";

    /// <inheritdoc/>
    public long Length => Content.Length;

    /// <inheritdoc/>
    public bool IsReadOnly { get; init; }

    /// <inheritdoc/>
    public int MinimumBlock { get; init; } = 1;

    /// <inheritdoc/>
    public int PreferredBlock => Piece;

    /// <inheritdoc/>
    public bool IsSharedByConnections => true;

    /// <inheritdoc/>
    public IReadOnlyList<string> StatusKinds { get; } = ["base:allocation", "test:odd"];

    /// <summary>A request that leaves the disk, and so should have been refused; the server would only answer it with an error.</summary>
    public string? Outside { get; private set; }

    /// <summary>Whether reads are served at once, as from a page cache.</summary>
    public bool IsCached { get; init; } = true;

    /// <summary>Called before each operation, with its name and offset; may throw or wait.</summary>
    public Action<string, long> Before { get; set; } = static (_, _) => { };

    /// <summary>Whether a range may have to wait for another host.</summary>
    public Func<long, bool> Waits { get; init; } = static _ => false;

    /// <summary>How many flushes there were.</summary>
    public int Flushes { get; private set; }

    /// <inheritdoc/>
    public bool MayWait(long offset, long length, bool isWrite) => Waits(offset);

    /// <inheritdoc/>
    public bool TryReadNow(long offset, Span<byte> buffer)
    {
        if (!IsCached)
        {
            return false;
        }

        Read(offset, buffer);
        return true;
    }

    /// <inheritdoc/>
    public void Read(long offset, Span<byte> buffer)
    {
        Before("read", offset);
        Range(offset, buffer.Length).CopyTo(buffer);
    }

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Before("write", offset);
        data.CopyTo(Range(offset, data.Length));
    }

    /// <inheritdoc/>
    public bool Zero(long offset, long length, bool mayPunch, bool fastOnly)
    {
        Before(fastOnly ? "zero fast" : mayPunch ? "zero" : "zero, no hole", offset);
        if (fastOnly && !mayPunch)
        {
            return false;
        }

        Range(offset, length).Clear();
        return true;
    }

    /// <inheritdoc/>
    public void Trim(long offset, long length)
    {
        Before("trim", offset);
        Range(offset, length).Clear();
    }

    /// <inheritdoc/>
    public void Cache(long offset, long length)
    {
        Before("cache", offset);
        _ = Range(offset, length);
    }

    /// <inheritdoc/>
    public void Flush()
    {
        Before("flush", 0);
        lock (_lock)
        {
            Flushes++;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<NbdExtent> Status(int kind, long offset, long length)
    {
        Before("status", offset);
        _ = Range(offset, length);
        for (long at = offset; at < offset + length;)
        {
            long end = Math.Min(Content.Length, (at / Piece * Piece) + Piece);
            bool isZero = !Content.AsSpan((int)at, (int)(end - at)).ContainsAnyExcept((byte)0);
            uint flags = kind == 0
                ? (uint)(isZero ? NbdExtentFlags.Hole | NbdExtentFlags.Zero : NbdExtentFlags.None)
                : (uint)(at / Piece % 2);
            yield return new(end - at, flags);
            at = end;
        }
    }

    private Span<byte> Range(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Content.Length - length)
        {
            Outside = $"{length} bytes at {offset}";
        }

        return Content.AsSpan((int)offset, (int)length);
    }
}
