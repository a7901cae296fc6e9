namespace DiskSync.Nbd.Wire;

/// <summary>How a command fares (NBD_E*).</summary>
public enum NbdError : uint
{
    /// <summary>Well.</summary>
    None = 0,

    /// <summary>NBD_EPERM: the export cannot be written.</summary>
    NotPermitted = 1,

    /// <summary>NBD_EIO: reading, writing or flushing failed.</summary>
    Io = 5,

    /// <summary>NBD_ENOMEM: too much at once.</summary>
    NoMemory = 12,

    /// <summary>NBD_EINVAL: the request does not make sense.</summary>
    Invalid = 22,

    /// <summary>NBD_ENOSPC: no space, or past the end.</summary>
    NoSpace = 28,

    /// <summary>NBD_EOVERFLOW: more than one chunk would be needed.</summary>
    Overflow = 75,

    /// <summary>NBD_ENOTSUP: not done, as it would not be fast.</summary>
    NotSupported = 95,

    /// <summary>NBD_ESHUTDOWN: the server is going away.</summary>
    Shutdown = 108,
}
