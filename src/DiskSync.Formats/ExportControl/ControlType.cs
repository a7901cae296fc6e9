namespace DiskSync.Formats.ExportControl;

/// <summary>The types of messages as they stand on the wire.</summary>
internal enum ControlType : byte
{
    LendRequest = 1,
    Lent = 2,
    TakeDirty = 3,
    DirtyBits = 4,
    DirtyEnd = 5,
    FenceWrites = 6,
    Fenced = 7,
    ReleaseWrites = 8,
    SlowWrites = 9,
    AskLoad = 10,
    Load = 11,
    Done = 12,
    Refusal = 13,
    OfferTail = 14,
    AskTail = 15,
    SetTail = 16,
    TailState = 17,
}
