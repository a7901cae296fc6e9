namespace DiskSync.Engine.Tail;

/// <summary>How missing parts are fetched.</summary>
public sealed class TailOptions
{
    /// <summary>Whether a read of a missing part fails while there is no link, instead of waiting for it (<c>--fail-missing</c>).</summary>
    public bool FailMissing { get; init; }

    /// <summary>Bytes that are fetched together at least, aligned to them: a power of two, 4 KiB or more. Never less than a block whose hash is known.</summary>
    public int Unit { get; init; } = 64 << 10;

    /// <summary>The most bytes that one request to the source asks for.</summary>
    public int MostAtOnce { get; init; } = 1 << 20;
}
