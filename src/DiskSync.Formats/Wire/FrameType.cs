namespace DiskSync.Formats.Wire;

/// <summary>What a frame carries; PROTOCOL.md lists the layouts.</summary>
/// <remarks>The numbers never change and a number is never used again for something else.</remarks>
public enum FrameType : ushort
{
    /// <summary><see cref="Messages.Hello"/></summary>
    Hello = 1,

    /// <summary><see cref="Messages.Welcome"/></summary>
    Welcome = 2,

    /// <summary><see cref="Messages.ListBases"/></summary>
    ListBases = 3,

    /// <summary><see cref="Messages.Bases"/></summary>
    Bases = 4,

    /// <summary><see cref="Messages.OpenImage"/></summary>
    OpenImage = 5,

    /// <summary><see cref="Messages.ImageReady"/></summary>
    ImageReady = 6,

    /// <summary><see cref="Messages.MapRequest"/></summary>
    MapRequest = 7,

    /// <summary><see cref="Messages.MapData"/></summary>
    MapData = 8,

    /// <summary><see cref="Messages.SubHashRequest"/></summary>
    SubHashRequest = 9,

    /// <summary><see cref="Messages.SubHashes"/></summary>
    SubHashes = 10,

    /// <summary><see cref="Messages.CloseImage"/></summary>
    CloseImage = 11,

    /// <summary><see cref="Messages.ImageClosed"/></summary>
    ImageClosed = 12,

    /// <summary><see cref="Messages.Progress"/></summary>
    Progress = 13,

    /// <summary><see cref="Messages.Ping"/></summary>
    Ping = 14,

    /// <summary><see cref="Messages.Pong"/></summary>
    Pong = 15,

    /// <summary><see cref="Messages.End"/></summary>
    End = 16,

    /// <summary><see cref="Messages.EndAck"/></summary>
    EndAck = 17,

    /// <summary><see cref="Messages.Abort"/></summary>
    Abort = 18,

    /// <summary><see cref="Messages.Drain"/></summary>
    Drain = 19,

    /// <summary><see cref="Messages.Drained"/></summary>
    Drained = 20,

    /// <summary>A batch of blocks: <see cref="BlocksWriter"/>, <see cref="BlocksReader"/>. The only type that is no <see cref="Messages.Message"/>.</summary>
    Blocks = 0x20,

    /// <summary><see cref="Messages.BatchAck"/></summary>
    BatchAck = 0x21,

    /// <summary><see cref="Messages.Checkpoint"/></summary>
    Checkpoint = 0x22,

    /// <summary><see cref="Messages.DurableAck"/></summary>
    DurableAck = 0x23,

    /// <summary><see cref="Messages.Verify"/></summary>
    Verify = 0x24,

    /// <summary><see cref="Messages.Verified"/></summary>
    Verified = 0x25,

    /// <summary><see cref="Messages.Seal"/></summary>
    Seal = 0x26,

    /// <summary><see cref="Messages.Sealed"/></summary>
    Sealed = 0x27,

    /// <summary><see cref="Messages.BlockRequest"/></summary>
    BlockRequest = 0x28,

    /// <summary><see cref="Messages.SeedRequest"/></summary>
    SeedRequest = 0x29,

    /// <summary><see cref="Messages.Seeds"/></summary>
    Seeds = 0x2A,

    /// <summary><see cref="Messages.KeepRound"/></summary>
    KeepRound = 0x2B,

    /// <summary><see cref="Messages.RoundKept"/></summary>
    RoundKept = 0x2C,

    /// <summary><see cref="Messages.Prepare"/></summary>
    Prepare = 0x30,

    /// <summary><see cref="Messages.Prepared"/></summary>
    Prepared = 0x31,

    /// <summary><see cref="Messages.Commit"/></summary>
    Commit = 0x32,

    /// <summary><see cref="Messages.Owner"/></summary>
    Owner = 0x33,

    /// <summary><see cref="Messages.Running"/></summary>
    Running = 0x34,

    /// <summary><see cref="Messages.Refuse"/></summary>
    Refuse = 0x35,

    /// <summary><see cref="Messages.Refused"/></summary>
    Refused = 0x36,

    /// <summary><see cref="Messages.QueryAttempt"/></summary>
    QueryAttempt = 0x37,

    /// <summary><see cref="Messages.AttemptStatus"/></summary>
    AttemptStatus = 0x38,

    /// <summary><see cref="Messages.CheckResume"/></summary>
    CheckResume = 0x39,

    /// <summary><see cref="Messages.ResumeChecked"/></summary>
    ResumeChecked = 0x3A,

    /// <summary><see cref="Messages.MissingBlocks"/></summary>
    MissingBlocks = 0x3B,

    /// <summary><see cref="Messages.MissingNoted"/></summary>
    MissingNoted = 0x3C,

    /// <summary><see cref="Messages.PrepareTail"/></summary>
    PrepareTail = 0x3D,

    /// <summary><see cref="Messages.QueryTail"/></summary>
    QueryTail = 0x3E,

    /// <summary><see cref="Messages.TailStatus"/></summary>
    TailStatus = 0x3F,

    /// <summary><see cref="Messages.CheckImage"/></summary>
    CheckImage = 0x40,

    /// <summary><see cref="Messages.ImageChecked"/></summary>
    ImageChecked = 0x41,

    /// <summary><see cref="Messages.Serve"/></summary>
    Serve = 0x50,

    /// <summary><see cref="Messages.Serving"/></summary>
    Serving = 0x51,
}
