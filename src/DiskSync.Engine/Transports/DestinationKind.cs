namespace DiskSync.Engine.Transports;

/// <summary>How a destination is reached.</summary>
public enum DestinationKind
{
    /// <summary>A path of this host; the receiver runs in the same process.</summary>
    Local,

    /// <summary>An export of an NBD server; the receiver runs in the same process.</summary>
    Nbd,

    /// <summary>A path of another host; ssh starts the receiver there.</summary>
    Ssh,

    /// <summary>A receiver that listens on a Unix socket of this host.</summary>
    UnixSocket,

    /// <summary>A receiver that listens on TCP, on this host or another.</summary>
    Tcp,
}
