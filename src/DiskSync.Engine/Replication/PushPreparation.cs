using DiskSync.Engine.Blocks;
using DiskSync.Engine.SavedMaps;

namespace DiskSync.Engine.Replication;

/// <summary>A push whose source is watched already, and its saved map looked for and audited, while the destination is being reached.</summary>
/// <remarks>Dispose it before the source. Not thread safe.</remarks>
public sealed class PushPreparation : IAsyncDisposable
{
    private readonly Task<WarmStart> _warm;

    /// <summary>Begins; nothing of the source may have been read before.</summary>
    /// <param name="request">What is to be sent; its source stays its opener's.</param>
    /// <param name="cancellationToken">Stops the audit.</param>
    public PushPreparation(TransferRequest request, CancellationToken cancellationToken)
    {
        Request = request;
        _warm = Task.Run(() => WarmStart.Begin(request, cancellationToken), CancellationToken.None);
    }

    /// <summary>What is to be sent.</summary>
    public TransferRequest Request { get; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            (await _warm).Dispose();
        }
        catch (Exception exception) when (exception is DiskSyncException or OperationCanceledException)
        {
            // Whoever waited for it has been told.
        }
    }

    /// <summary>Waits until it is known what the source is. Stays this object's.</summary>
    /// <exception cref="ImageIOException">A block of the sample cannot be read.</exception>
    internal Task<WarmStart> WarmAsync() => _warm;
}
