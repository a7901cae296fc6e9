namespace DiskSync.Nbd.Client;

/// <summary>Why a connection is dead.</summary>
public enum NbdConnectionFailure
{
    /// <summary>It could not be made.</summary>
    NotReached,

    /// <summary>The server, or the way to it, has gone.</summary>
    Lost,

    /// <summary>The server says nothing, or takes nothing, for longer than it may.</summary>
    Silent,

    /// <summary>The server does not keep to the protocol.</summary>
    Violation,

    /// <summary>TLS could not be agreed on, or one side does not trust the other.</summary>
    Tls,

    /// <summary>This side has closed it.</summary>
    Closed,
}
