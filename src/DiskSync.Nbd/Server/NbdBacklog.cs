using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>The requests of one connection that are done by workers, and how many there may be of them.</summary>
/// <remarks>
/// A request's share of the budgets is held until its reply has been sent: a client that does not read stops asking.
/// <see cref="Claim"/> and the methods that need a claim belong to the connection's own thread.
/// </remarks>
/// <param name="agreement">What was negotiated.</param>
/// <param name="shared">What all connections share.</param>
/// <param name="outbox">Where replies go.</param>
/// <param name="options">How much may be under way.</param>
internal sealed class NbdBacklog(NbdAgreement agreement, NbdShared shared, NbdOutbox outbox, NbdServerOptions options)
{
    private readonly INbdExport _export = agreement.Export;

    // These two are never closed: the connection's own thread alone takes from them.
    private readonly NbdBudget _bytes = new(options.ConnectionBytes);
    private readonly NbdBudget _requests = new(options.ConnectionRequests);

    /// <summary>Waits until one more request may be under way.</summary>
    /// <param name="bytes">Of data that it brings or asks for.</param>
    /// <exception cref="NbdProtocolException">The server is going away.</exception>
    public void Claim(long bytes)
    {
        // Who waits for others must not keep what they wait for.
        outbox.Flush();
        _requests.Take(1);
        _bytes.Take(bytes);
        if (!shared.Bytes.Take(bytes))
        {
            _bytes.Return(bytes);
            _requests.Return(1);
            throw new NbdProtocolException("the server is going away");
        }
    }

    /// <summary>Gives back what was claimed for a request that came to nothing.</summary>
    public void Release(long bytes)
    {
        shared.Bytes.Return(bytes);
        _bytes.Return(bytes);
        _requests.Return(1);
    }

    /// <summary>Has something done that brings no data.</summary>
    /// <param name="request">Claimed with no bytes.</param>
    public void Do(NbdRequest request) => Do(request, () =>
    {
        if (request.Command == NbdCommand.BlockStatus)
        {
            Status(request);
        }
        else
        {
            Answer(request, NbdExecution.Do(_export, request, []), 0);
        }
    });

    /// <summary>Has data written.</summary>
    /// <param name="request">Claimed with its length.</param>
    /// <param name="data">Rented; given back here.</param>
    public void Write(NbdRequest request, byte[] data) => Do(request, () =>
    {
        (NbdError Error, string Why) outcome = NbdExecution.Do(_export, request, data.AsSpan(0, (int)request.Length));
        shared.Buffers.Return(data);
        Answer(request, outcome, request.Length);
    });

    /// <summary>Has data read.</summary>
    /// <param name="request">Claimed with its length.</param>
    /// <param name="reply">Rented, with room for the reply's head; given back here.</param>
    public void Read(NbdRequest request, byte[] reply) => Do(request, () =>
    {
        int head = NbdReply.HeadOfData(agreement.IsStructured);
        try
        {
            _export.Read((long)request.Offset, reply.AsSpan(head, (int)request.Length));
        }
        catch (Exception exception)
        {
            shared.Buffers.Return(reply);
            Answer(request, NbdExecution.Describe(exception), request.Length);
            return;
        }

        Send(request, reply);
    });

    /// <summary>Sends data that have been read.</summary>
    /// <param name="request">Claimed with its length.</param>
    /// <param name="reply">Rented, the data behind the room for the head; given back here.</param>
    public void Send(NbdRequest request, byte[] reply)
    {
        NbdReply.WriteDataHead(reply, request, agreement.IsStructured);
        outbox.Post(reply.AsMemory(0, NbdReply.HeadOfData(agreement.IsStructured) + (int)request.Length), () =>
        {
            shared.Buffers.Return(reply);
            Release(request.Length);
        });
    }

    /// <summary>Waits until nothing is under way any more.</summary>
    public void WaitUntilDone() => _requests.WaitUntilFree();

    /// <summary>What may wait for another host must not take the place of what need not.</summary>
    private void Do(in NbdRequest request, Action job)
    {
        bool mayWait = request.Command is NbdCommand.Read or NbdCommand.Write or NbdCommand.WriteZeroes
            && _export.MayWait((long)request.Offset, request.Length, isWrite: request.Command != NbdCommand.Read);
        if (mayWait)
        {
            shared.Waiters.Do(job);
        }
        else
        {
            shared.Workers.Do(job);
        }
    }

    private void Status(NbdRequest request)
    {
        byte[][] chunks = new byte[agreement.StatusKinds.Length][];
        try
        {
            for (int i = 0; i < chunks.Length; i++)
            {
                int kind = agreement.StatusKinds[i];
                chunks[i] = NbdReply.Status(request, kind + 1, NbdExecution.Extents(_export, kind, request), isLast: i == chunks.Length - 1);
            }
        }
        catch (Exception exception)
        {
            Answer(request, NbdExecution.Describe(exception), 0);
            return;
        }

        for (int i = 0; i < chunks.Length; i++)
        {
            outbox.Post(chunks[i], i == chunks.Length - 1 ? () => Release(0) : null);
        }
    }

    private void Answer(in NbdRequest request, (NbdError Error, string Why) outcome, long bytes) =>
        outbox.Post(NbdReply.Outcome(request, agreement.IsStructured, outcome.Error, outcome.Why), () => Release(bytes));
}
