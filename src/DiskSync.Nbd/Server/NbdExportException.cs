using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>An export could not do what was asked for; the connection goes on.</summary>
public sealed class NbdExportException : Exception
{
    /// <summary>Says what failed.</summary>
    /// <param name="error">As the client will see it.</param>
    /// <param name="message">For humans; goes to clients that take structured replies.</param>
    /// <param name="inner">Why.</param>
    public NbdExportException(NbdError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>As the client will see it.</summary>
    public NbdError Error { get; }
}
