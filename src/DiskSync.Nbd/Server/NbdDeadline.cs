namespace DiskSync.Nbd.Server;

/// <summary>Closes a connection on which something was not done in time.</summary>
/// <remarks>A timeout of each read would not do: a client that sends a byte now and then could go on for ever.</remarks>
internal sealed class NbdDeadline : IDisposable
{
    private readonly Timer _timer;
    private int _outcome;

    /// <summary>The time begins.</summary>
    /// <param name="stream">Disposed when it is over.</param>
    /// <param name="time">How long it is.</param>
    public NbdDeadline(Stream stream, TimeSpan time) => _timer = new Timer(
        _ =>
        {
            if (Interlocked.CompareExchange(ref _outcome, 2, 0) == 0)
            {
                stream.Dispose();
            }
        },
        null,
        time,
        Timeout.InfiniteTimeSpan);

    /// <summary>Whether it has passed; the stream is closed then.</summary>
    public bool HasPassed => Volatile.Read(ref _outcome) == 2;

    /// <summary>What was to be done is done.</summary>
    /// <returns>False where it was too late.</returns>
    public bool TryMeet() => Interlocked.CompareExchange(ref _outcome, 1, 0) == 0;

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
