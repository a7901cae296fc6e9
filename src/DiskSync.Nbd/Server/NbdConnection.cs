using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>One client's requests and their replies.</summary>
/// <remarks>
/// The connection's own thread takes all requests that have arrived, does at once what needs no waiting for a medium,
/// and sends those replies together; the rest goes to the workers (<see cref="NbdBacklog"/>), and is answered in whatever
/// order it gets done. Source: the NBD protocol, "Transmission phase".
/// </remarks>
internal sealed class NbdConnection : IDisposable
{
    // What is longer is sent, or written, by another thread, while the next requests are looked at.
    private const int MostAtOnce = 128 << 10;

    // What is refused is taken off the wire up to here, so that the connection goes on.
    private const long MostSkipped = 2L * NbdLimits.MaxPayload;

    private readonly NbdAgreement _agreement;
    private readonly INbdExport _export;
    private readonly NbdShared _shared;
    private readonly NbdReceiver _received;
    private readonly NbdOutbox _outbox;
    private readonly NbdBacklog _backlog;
    private readonly NbdGathering _gathering;
    private readonly NbdWritePace _writePace = new();

    /// <summary>Prepares to serve.</summary>
    /// <param name="agreement">What was negotiated.</param>
    /// <param name="shared">What all connections share.</param>
    /// <param name="options">How.</param>
    public NbdConnection(NbdAgreement agreement, NbdShared shared, NbdServerOptions options)
    {
        _agreement = agreement;
        _export = agreement.Export;
        _shared = shared;
        _received = new NbdReceiver(agreement.Stream);
        _outbox = new NbdOutbox(agreement.Stream);
        _backlog = new NbdBacklog(agreement, shared, _outbox, options);
        _gathering = new NbdGathering(options.Pause);
    }

    /// <summary>Serves until the client goes.</summary>
    /// <exception cref="NbdProtocolException">The client does not keep to the protocol.</exception>
    /// <exception cref="IOException">The connection is lost.</exception>
    public void Run()
    {
        try
        {
            while (TakeRequest(out NbdRequest request))
            {
                if (!Handle(request))
                {
                    break;
                }
            }

            _outbox.Flush();
        }
        catch
        {
            _outbox.Abandon();
            throw;
        }
        finally
        {
            // What was begun is finished, whether anybody hears of it or not.
            _backlog.WaitUntilDone();
        }
    }

    /// <summary>Ends the thread that sends. After <see cref="Run"/> has returned.</summary>
    public void Dispose() => _outbox.Dispose();

    /// <returns>False at the end: the client has gone between two requests.</returns>
    private bool TakeRequest(out NbdRequest request)
    {
        while (_received.Count < NbdRequest.Size)
        {
            // All that has arrived is done: what could be answered at once leaves together.
            _outbox.Flush();
            _gathering.Wait();
            if (!_received.Fill())
            {
                request = default;
                return _received.Count == 0 ? false : throw new NbdProtocolException("the client has gone in the middle of a request");
            }
        }

        if (!NbdRequest.TryRead(_received.Peek(NbdRequest.Size), out request))
        {
            throw new NbdProtocolException("what the client sent is no request");
        }

        _received.Consume(NbdRequest.Size);
        _gathering.Handled();
        return true;
    }

    /// <returns>False where the client is done.</returns>
    private bool Handle(in NbdRequest request)
    {
        if (NbdRequestCheck.Check(request, _agreement) is { } wrong)
        {
            if (request.Command == NbdCommand.Write)
            {
                Skip(request.Length);
            }

            Answer(request, wrong.Error, wrong.Why);
            return true;
        }

        switch (request.Command)
        {
            case NbdCommand.Disconnect:
                return false;
            case NbdCommand.Read:
                Read(request);
                return true;
            case NbdCommand.Write:
                Write(request);
                return true;
            default:
                _backlog.Claim(0);
                _backlog.Do(request);
                return true;
        }
    }

    private void Skip(long length)
    {
        if (length > MostSkipped)
        {
            throw new NbdProtocolException($"the client sends {length} bytes with one write");
        }

        while (length > 0)
        {
            if (_received.Count == 0)
            {
                FillOrThrow();
            }

            int skipped = (int)Math.Min(length, _received.Count);
            _received.Consume(skipped);
            length -= skipped;
        }
    }

    private void Answer(in NbdRequest request, NbdError error = NbdError.None, string why = "")
    {
        if (error == NbdError.None && request.Command != NbdCommand.Read)
        {
            NbdReply.WriteSimple(_outbox.Gather(NbdReply.SimpleHead), request.Cookie, error);
            _outbox.Gathered(NbdReply.SimpleHead);
            return;
        }

        byte[] reply = NbdReply.Outcome(request, _agreement.IsStructured, error, why);
        reply.CopyTo(_outbox.Gather(reply.Length));
        _outbox.Gathered(reply.Length);
    }

    private void Read(in NbdRequest request)
    {
        int length = (int)request.Length;
        int head = NbdReply.HeadOfData(_agreement.IsStructured);
        if (length == 0)
        {
            // A chunk with data has to have some.
            Answer(request);
            return;
        }

        bool isSmall = length <= MostAtOnce;
        if (isSmall)
        {
            Span<byte> gathered = _outbox.Gather(head + length);
            if (TryReadNow(request, gathered[head..]))
            {
                NbdReply.WriteDataHead(gathered, request, _agreement.IsStructured);
                _outbox.Gathered(gathered.Length);
                return;
            }
        }

        _backlog.Claim(length);
        byte[] reply = _shared.Buffers.Rent(head + length);
        if (!isSmall && TryReadNow(request, reply.AsSpan(head, length)))
        {
            _backlog.Send(request, reply);
        }
        else
        {
            _backlog.Read(request, reply);
        }
    }

    // A failure is not looked at here: the worker meets it again, and can say what it is.
    private bool TryReadNow(in NbdRequest request, Span<byte> buffer)
    {
        try
        {
            return _export.TryReadNow((long)request.Offset, buffer);
        }
        catch (Exception)
        {
            return false;
        }
    }

    private void Write(in NbdRequest request)
    {
        int length = (int)request.Length;
        if (length <= MostAtOnce && !request.Flags.HasFlag(NbdCommandFlags.Fua) && _writePace.IsQuick
            && !_export.MayWait((long)request.Offset, length, isWrite: true))
        {
            while (_received.Count < length)
            {
                FillOrThrow();
            }

            _writePace.Begin();
            (NbdError error, string why) = NbdExecution.Do(_export, request, _received.Peek(length));
            _writePace.End();
            _received.Consume(length);
            Answer(request, error, why);
            return;
        }

        _backlog.Claim(length);
        byte[] data = _shared.Buffers.Rent(length);
        try
        {
            _received.ReadInto(data.AsSpan(0, length));
        }
        catch
        {
            _shared.Buffers.Return(data);
            _backlog.Release(length);
            throw;
        }

        _backlog.Write(request, data);
    }

    private void FillOrThrow()
    {
        _outbox.Flush();
        if (!_received.Fill())
        {
            throw new NbdProtocolException("the client has gone in the middle of a write");
        }
    }
}
