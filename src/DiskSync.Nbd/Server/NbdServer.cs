using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>Serves exports to clients over streams; who accepts connections is somebody else's matter.</summary>
/// <remarks>
/// Source: the NBD protocol of the NetworkBlockDevice project. Fixed newstyle with TLS; simple and structured replies.
/// Thread safe. Dispose after every <see cref="Serve"/> has returned.
/// </remarks>
public sealed class NbdServer : IDisposable
{
    private readonly IReadOnlyList<INbdExport> _exports;
    private readonly NbdServerOptions _options;
    private readonly NbdShared _shared;

    /// <summary>Starts the workers.</summary>
    /// <param name="exports">What there is, at least one; the first is also the one without a name. Not owned.</param>
    /// <param name="options">How.</param>
    public NbdServer(IReadOnlyList<INbdExport> exports, NbdServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfZero(exports?.Count ?? 0);
        _exports = exports!;
        _options = options;
        _shared = new(new NbdWorkers(options.Workers), new NbdWaiters(options.Waiters), new NbdBudget(options.TotalBytes), new NbdBuffers(options.TotalBytes));
    }

    /// <summary>Serves one client until it goes; the calling thread is its thread.</summary>
    /// <param name="stream">The connection, with read and write timeouts where it can have them; disposed at the end. Disposing it ends the service.</param>
    /// <param name="isPrivate">Whether nobody but who may use the exports can have made this connection, so that it needs no TLS: a Unix socket of this user's.</param>
    /// <exception cref="NbdProtocolException">The client does not keep to the protocol.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public void Serve(Stream stream, bool isPrivate = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using (stream)
        {
            Limit(stream, _options.NegotiationLimit);
            if (Negotiate(stream, _options.RequiresTls && !isPrivate) is not { } agreement)
            {
                return;
            }

            // A client may have nothing to ask for days, but has to take its replies.
            Limit(stream, Timeout.InfiniteTimeSpan);
            using (agreement.Stream)
            {
                using NbdConnection connection = new(agreement, _shared, _options);
                connection.Run();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _shared.Bytes.Close();
        _shared.Workers.Dispose();
        _shared.Waiters.Dispose();
    }

    private NbdAgreement? Negotiate(Stream stream, bool requiresTls)
    {
        using NbdDeadline deadline = new(stream, _options.NegotiationLimit);
        try
        {
            NbdAgreement? agreement = new NbdHandshake(stream, _exports, _options, requiresTls).Run();
            return deadline.TryMeet() ? agreement : throw TooLate();
        }
        catch (Exception exception) when (deadline.HasPassed && exception is not NbdProtocolException)
        {
            throw TooLate();
        }
    }

    private NbdProtocolException TooLate() =>
        new($"the client did not choose an export within {_options.NegotiationLimit.TotalSeconds:0} s");

    private void Limit(Stream stream, TimeSpan reading)
    {
        if (stream.CanTimeout)
        {
            stream.ReadTimeout = (int)reading.TotalMilliseconds;
            stream.WriteTimeout = (int)_options.SendLimit.TotalMilliseconds;
        }
    }
}
