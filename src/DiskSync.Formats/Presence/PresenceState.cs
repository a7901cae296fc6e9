using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Presence;

/// <summary>Where a presence map ends, so that it can be gone on with.</summary>
/// <remarks>Not thread safe.</remarks>
public sealed class PresenceState
{
    private readonly byte[] _chain = new byte[LogLayout.ChainSize];

    internal PresenceState(PresenceHeader header, ReadOnlySpan<byte> checkedHeader)
    {
        Header = header;
        PresenceFormat.Layout.NextChain([], checkedHeader, _chain);
    }

    /// <summary>What the map is about.</summary>
    public PresenceHeader Header { get; }

    /// <summary>How many records there are.</summary>
    public ulong RecordCount { get; private set; }

    /// <summary>Where the last of them ends, in bytes from the start of the file.</summary>
    public long EndOffset { get; private set; } = LogLayout.RecordsAt;

    internal ReadOnlySpan<byte> Chain => _chain;

    internal int NextSlot { get; set; }

    internal void Add(ReadOnlySpan<byte> record)
    {
        record[^LogLayout.ChainSize..].CopyTo(_chain);
        EndOffset += record.Length;
        RecordCount++;
    }

    internal LogHead Head() => new(RecordCount, EndOffset, _chain.ToArray());
}
