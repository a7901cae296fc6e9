using System.IO.Pipelines;
using DiskSync.Engine;
using DiskSync.Engine.Transports;

namespace DiskSync.Cli.Connecting;

/// <summary>The source's end of a connection to a receiver in the same process, which it waits for at the end.</summary>
/// <param name="inner">The connection.</param>
/// <param name="receiver">The receiver's work.</param>
internal sealed class InProcessTransport(ITransport inner, Task receiver) : ITransport
{
    /// <inheritdoc/>
    public PipeReader Input => inner.Input;

    /// <inheritdoc/>
    public PipeWriter Output => inner.Output;

    /// <inheritdoc/>
    public string Peer => inner.Peer;

    /// <inheritdoc/>
    public TimeSpan HandshakeTimeout => inner.HandshakeTimeout;

    /// <inheritdoc/>
    public void Abort() => inner.Abort();

    /// <inheritdoc/>
    public Task<string> DiagnoseAsync() => inner.DiagnoseAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        try
        {
            // What the destination makes durable at its end must be done before the process goes.
            await receiver;
        }
        catch (DiskSyncException)
        {
            // The source has been told, or is the reason.
        }
    }
}
