using DiskSync.Nbd.Client;

namespace DiskSync.Engine.Tail;

/// <summary>A source's frozen image that is served by NBD: what a guest waits for goes by a connection of its own.</summary>
/// <remarks>Thread safe. A connection is made when it is needed, and made anew when it was lost.</remarks>
/// <param name="connect">Makes a connection, for what is urgent or for what is not; may throw <see cref="NbdConnectionException"/>.</param>
/// <param name="retry">How long to wait before a lost link is tried again.</param>
public sealed class NbdTailSource(Func<bool, NbdClient> connect, TimeSpan retry) : ITailSource
{
    private readonly Way _urgent = new();
    private readonly Way _other = new();

    /// <inheritdoc/>
    public async Task ReadAsync(long offset, Memory<byte> buffer, bool isUrgent, CancellationToken cancellation)
    {
        Way way = isUrgent ? _urgent : _other;
        NbdClient? client = null;
        try
        {
            client = way.Client(() => connect(isUrgent));
            await client.ReadAsync(offset, buffer, cancellation);
        }
        catch (NbdServerException exception)
        {
            throw new TailSourceException($"the source cannot read at offset {offset}: {exception.Message}", exception);
        }
        catch (Exception exception) when (exception is NbdConnectionException or NbdRefusedException or IOException or ObjectDisposedException)
        {
            way.Drop(client);
            throw new TailLinkException(exception.Message, exception);
        }
    }

    /// <inheritdoc/>
    public Task WaitForLinkAsync(CancellationToken cancellation) => Task.Delay(retry, cancellation);

    /// <inheritdoc/>
    public void Dispose()
    {
        _urgent.Dispose();
        _other.Dispose();
    }

    /// <summary>One of the two connections.</summary>
    private sealed class Way : IDisposable
    {
        private readonly Lock _gate = new();
        private NbdClient? _client;
        private bool _isDisposed;

        public NbdClient Client(Func<NbdClient> connect)
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _client ??= connect();
            }
        }

        public void Drop(NbdClient? lost)
        {
            lock (_gate)
            {
                _client = ReferenceEquals(lost, _client) ? null : _client;
            }

            lost?.Dispose();
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isDisposed = true;
                _client?.Dispose();
                _client = null;
            }
        }
    }
}
