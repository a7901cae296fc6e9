using DiskSync.Nbd.Server;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Tests;

/// <summary>An export in memory, which knows holes in pieces of 4 KiB and can be told to fail or to wait.</summary>
/// <param name="length">Bytes.</param>
internal sealed class MemoryExport(int length) : INbdExport
{
    private const int Piece = 4096;
    private readonly Lock _lock = new();

    public byte[] Content { get; } = new byte[length];

    public string Name { get; init; } = "disk";

    public string Description { get; init; } = "a disk in memory";

    public long Length => Content.Length;

    public bool IsReadOnly { get; init; }

    public int MinimumBlock { get; init; } = 1;

    public int PreferredBlock => Piece;

    public bool IsSharedByConnections => true;

    public IReadOnlyList<string> StatusKinds { get; } = ["base:allocation", "test:odd"];

    /// <summary>Whether reads are served at once, as from a page cache.</summary>
    public bool IsCached { get; init; } = true;

    /// <summary>Called before each operation, with its name and offset; may throw or wait.</summary>
    public Action<string, long> Before { get; set; } = static (_, _) => { };

    /// <summary>How many flushes there were.</summary>
    public int Flushes { get; private set; }

    public bool TryReadNow(long offset, Span<byte> buffer)
    {
        if (!IsCached)
        {
            return false;
        }

        Read(offset, buffer);
        return true;
    }

    public void Read(long offset, Span<byte> buffer)
    {
        Before("read", offset);
        Content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Before("write", offset);
        data.CopyTo(Content.AsSpan((int)offset));
    }

    public bool Zero(long offset, long length, bool mayPunch, bool fastOnly)
    {
        Before(fastOnly ? "zero fast" : mayPunch ? "zero" : "zero, no hole", offset);
        if (fastOnly && !mayPunch)
        {
            return false;
        }

        Content.AsSpan((int)offset, (int)length).Clear();
        return true;
    }

    public void Trim(long offset, long length)
    {
        Before("trim", offset);
        Content.AsSpan((int)offset, (int)length).Clear();
    }

    public void Cache(long offset, long length) => Before("cache", offset);

    public void Flush()
    {
        Before("flush", 0);
        lock (_lock)
        {
            Flushes++;
        }
    }

    public IEnumerable<NbdExtent> Status(int kind, long offset, long length)
    {
        Before("status", offset);
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
}
