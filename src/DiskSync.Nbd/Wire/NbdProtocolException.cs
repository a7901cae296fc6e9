namespace DiskSync.Nbd.Wire;

/// <summary>The peer does not keep to the protocol, or has gone: nothing more can come of this connection.</summary>
public sealed class NbdProtocolException : Exception
{
    /// <summary>Says what was wrong.</summary>
    public NbdProtocolException(string message)
        : base(message)
    {
    }

    /// <summary>Says what was wrong, and why.</summary>
    public NbdProtocolException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>Says nothing.</summary>
    public NbdProtocolException()
    {
    }
}
