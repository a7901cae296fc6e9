namespace DiskSync.Nbd.Client;

/// <summary>A connection is dead: what was asked for over it may or may not have been done, and nothing more can be.</summary>
/// <remarks>An answer that says no is a <see cref="NbdServerException"/> or a <see cref="NbdRefusedException"/>; a caller's bug is an <see cref="ArgumentException"/> or an <see cref="InvalidOperationException"/>.</remarks>
public sealed class NbdConnectionException : Exception
{
    /// <summary>Says what has happened.</summary>
    /// <param name="failure">What kind of thing.</param>
    /// <param name="message">For humans, to be read after the server's address.</param>
    /// <param name="inner">Why.</param>
    public NbdConnectionException(NbdConnectionFailure failure, string message, Exception? inner = null)
        : base(message, inner) => Failure = failure;

    /// <summary>What kind of thing has happened.</summary>
    public NbdConnectionFailure Failure { get; }
}
