namespace DiskSync.Nbd.Wire;

/// <summary>Answers to options (NBD_REP_*); those with the highest bit set are errors.</summary>
public enum NbdOptionReplyType : uint
{
    /// <summary>Done; the last answer to an option.</summary>
    Ack = 1,

    /// <summary>An export.</summary>
    Server = 2,

    /// <summary>Something about an export.</summary>
    Info = 3,

    /// <summary>A kind of block status.</summary>
    MetaContext = 4,

    /// <summary>The option is not known here.</summary>
    ErrorUnsupported = Error | 1,

    /// <summary>The option is forbidden here.</summary>
    ErrorPolicy = Error | 2,

    /// <summary>The option does not make sense.</summary>
    ErrorInvalid = Error | 3,

    /// <summary>TLS is needed first.</summary>
    ErrorTlsRequired = Error | 5,

    /// <summary>There is no such export.</summary>
    ErrorUnknown = Error | 6,

    /// <summary>The server is going away.</summary>
    ErrorShutdown = Error | 7,

    /// <summary>The client has to heed the block sizes, and has not said that it will.</summary>
    ErrorBlockSizeRequired = Error | 8,

    /// <summary>The option is longer than the server takes.</summary>
    ErrorTooBig = Error | 9,

    /// <summary>The bit that all errors have.</summary>
    Error = 1u << 31,
}
