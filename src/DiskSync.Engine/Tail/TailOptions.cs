namespace DiskSync.Engine.Tail;

/// <summary>How missing parts are fetched.</summary>
public sealed class TailOptions
{
    /// <summary>What <see cref="Unit"/> is where nothing else is said.</summary>
    public const int DefaultUnit = 64 << 10;

    /// <summary>Whether a read of a missing part fails at first while there is no link, instead of waiting for it (<c>--fail-missing</c>); see <see cref="TailDevice.FailMissing"/>.</summary>
    public bool FailMissing { get; init; }

    /// <summary>Bytes that are fetched together at least, aligned to them: a power of two, 4 KiB or more. Never less than a block whose hash is known.</summary>
    public int Unit { get; init; } = DefaultUnit;

    /// <summary>The most bytes that one request to the source asks for.</summary>
    public int MostAtOnce { get; init; } = 1 << 20;
}
