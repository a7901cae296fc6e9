using DiskSync.Formats.RecordLog;

namespace DiskSync.Formats.Journal;

/// <summary>What a transfer journal proves: its records applied one after the other.</summary>
/// <remarks>Also what an appender goes on from. Changed by the reader only; not thread safe.</remarks>
public sealed class TransferJournalState
{
    private readonly byte[] _chain = new byte[LogLayout.ChainSize];

    internal TransferJournalState(TransferJournalHeader header) => Header = header;

    /// <summary>The header.</summary>
    public TransferJournalHeader Header { get; }

    /// <summary>The newest session's fencing number, 0 where there was none.</summary>
    public ulong Fence { get; private set; }

    /// <summary>The newest session.</summary>
    public Guid SessionId { get; private set; }

    /// <summary>The regions that were withdrawn and not checkpointed since: what the map says about them is worth nothing. About all others it is right.</summary>
    public RegionSet Withdrawn { get; } = new();

    /// <summary>The regions that were read back since they were last written.</summary>
    public RegionSet ReadBack { get; } = new();

    /// <summary>The newest note, or null.</summary>
    public JournalNote? Note { get; private set; }

    /// <summary>How many records were accepted.</summary>
    public ulong RecordCount { get; private set; }

    /// <summary>Where the next record goes. Cut the file off here before appending to it.</summary>
    public long EndOffset { get; private set; } = LogLayout.RecordsAt;

    /// <summary>How many bytes behind <see cref="EndOffset"/> are no record: an append that was cut short and never acknowledged.</summary>
    public long TornBytes { get; internal set; }

    /// <summary>Which head slot was not the newest, so that the next append writes it.</summary>
    internal int NextSlot { get; set; }

    /// <summary>The chain value after the last record.</summary>
    internal ReadOnlySpan<byte> Chain => _chain;

    /// <summary>Starts the chain.</summary>
    internal void Begin(ReadOnlySpan<byte> chain) => chain.CopyTo(_chain);

    /// <summary>Takes the next record in.</summary>
    /// <param name="record">The record, its ranges checked.</param>
    /// <param name="length">Its length in the file.</param>
    /// <param name="chain">The chain value after it.</param>
    /// <returns>False where the record cannot follow the ones before.</returns>
    internal bool TryApply(JournalRecord record, int length, ReadOnlySpan<byte> chain)
    {
        switch (record)
        {
            case JournalSession session when session.Fence <= Fence:
                return false;
            case JournalSession session:
                (Fence, SessionId) = (session.Fence, session.SessionId);
                break;
            case JournalWithdraw withdraw:
                foreach (RegionRange range in withdraw.Regions)
                {
                    Withdrawn.Add(range);
                    ReadBack.Remove(range);
                }

                break;
            case JournalCheckpoint checkpoint:
                foreach (RegionRange range in checkpoint.Regions)
                {
                    Withdrawn.Remove(range);
                    if (checkpoint.ReadBack)
                    {
                        ReadBack.Add(range);
                    }
                }

                break;
            case JournalNote note:
                Note = note;
                break;
            default:
                throw new InvalidOperationException($"{record.GetType().Name} cannot be applied");
        }

        RecordCount++;
        EndOffset += length;
        chain.CopyTo(_chain);
        return true;
    }
}
