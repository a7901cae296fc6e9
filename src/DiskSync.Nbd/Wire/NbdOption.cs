namespace DiskSync.Nbd.Wire;

/// <summary>What a client asks for before it reads or writes (NBD_OPT_*).</summary>
public enum NbdOption : uint
{
    /// <summary>Begin with an export, unanswered where that fails; the oldest way.</summary>
    ExportName = 1,

    /// <summary>Go away in order.</summary>
    Abort = 2,

    /// <summary>Which exports there are.</summary>
    List = 3,

    /// <summary>Continue in TLS.</summary>
    StartTls = 5,

    /// <summary>What an export is like.</summary>
    Info = 6,

    /// <summary>Begin with an export.</summary>
    Go = 7,

    /// <summary>Answer in chunks.</summary>
    StructuredReply = 8,

    /// <summary>Which kinds of block status there are.</summary>
    ListMetaContext = 9,

    /// <summary>Which kinds of block status will be asked for.</summary>
    SetMetaContext = 10,
}
