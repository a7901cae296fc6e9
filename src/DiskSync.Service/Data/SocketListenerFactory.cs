using System.Net;
using Microsoft.AspNetCore.Connections;

namespace DiskSync.Service.Data;

/// <summary>Kestrel's way to <see cref="SocketListener"/>.</summary>
internal sealed class SocketListenerFactory : IConnectionListenerFactory
{
    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new SocketListener((IPEndPoint)endpoint));
}
