namespace DiskSync.Engine.Tail;

/// <summary>Where the missing parts of an image are read from: the source's frozen image.</summary>
/// <remarks>Thread safe; any number of reads may be under way.</remarks>
public interface ITailSource : IDisposable
{
    /// <summary>Reads from the frozen image.</summary>
    /// <param name="offset">Where.</param>
    /// <param name="buffer">What to fill.</param>
    /// <param name="isUrgent">Whether a guest waits for it: then it goes ahead of what is copied in the background, by a connection of its own.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="TailSourceException">The source cannot read it; the link is well.</exception>
    /// <exception cref="TailLinkException">There is no link, or it was lost meanwhile.</exception>
    Task ReadAsync(long offset, Memory<byte> buffer, bool isUrgent, CancellationToken cancellation);

    /// <summary>Waits until it is worth trying again after the link was lost.</summary>
    /// <param name="cancellation">Ends the wait.</param>
    Task WaitForLinkAsync(CancellationToken cancellation);
}
