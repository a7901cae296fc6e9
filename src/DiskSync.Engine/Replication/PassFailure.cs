using System.Runtime.ExceptionServices;
using DiskSync.Engine.Blocks;
using DiskSync.Engine.Transports;

namespace DiskSync.Engine.Replication;

/// <summary>The failure that ended a pass, told from those that it caused in the other workers.</summary>
/// <remarks>
/// Thread safe. The failure is noted before the others are stopped, so the first one that is noted is the cause. Where
/// several workers meet unreadable places, the first one on the image is named, whichever worker was the fastest: runs
/// are claimed in the image's order, so whoever runs it again is told the same.
/// </remarks>
/// <param name="stop">Stops the other workers.</param>
internal sealed class PassFailure(CancellationTokenSource stop)
{
    private readonly Lock _lock = new();
    private Exception? _first;

    /// <summary>Notes a failure and stops the pass.</summary>
    public async Task NoteAsync(Exception exception)
    {
        if (exception is not OperationCanceledException)
        {
            lock (_lock)
            {
                if (_first is null || IsEarlierOnImage(exception, _first))
                {
                    _first = exception;
                }
            }
        }

        await stop.CancelAsync();
    }

    /// <summary>Throws the cause, if the pass failed.</summary>
    /// <param name="cancellationToken">The user's wish to stop, of which a lost connection is a consequence.</param>
    public void ThrowIfAny(CancellationToken cancellationToken)
    {
        if (_first is null or TransportLostException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        if (_first is not null)
        {
            ExceptionDispatchInfo.Throw(_first);
        }

        stop.Token.ThrowIfCancellationRequested();
    }

    private static bool IsEarlierOnImage(Exception exception, Exception first) =>
        exception is ImageIOException { Offset: >= 0 } place && first is ImageIOException known
        && string.Equals(place.Image, known.Image, StringComparison.Ordinal) && place.Offset < known.Offset;
}
