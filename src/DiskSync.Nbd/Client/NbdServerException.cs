using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>The server could not do one request; the connection goes on.</summary>
public sealed class NbdServerException : Exception
{
    /// <summary>Says what failed.</summary>
    /// <param name="error">What the server said; a value that <see cref="NbdError"/> does not name is the server's own.</param>
    /// <param name="message">For humans, with the server's own words where it had some.</param>
    public NbdServerException(NbdError error, string message)
        : base(message) => Error = error;

    /// <summary>What the server said.</summary>
    public NbdError Error { get; }
}
