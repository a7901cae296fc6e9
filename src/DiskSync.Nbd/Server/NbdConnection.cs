using System.Buffers;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Server;

/// <summary>One client's requests and their replies.</summary>
/// <remarks>
/// The connection's own thread takes all requests that have arrived, does at once what needs no waiting for a medium,
/// and sends those replies together; the rest goes to the workers, and is answered in whatever order it gets done.
/// Source: the NBD protocol, "Transmission phase".
/// </remarks>
internal sealed class NbdConnection : IDisposable
{
    private const int ReceiveBytes = 256 << 10;

    // What is longer is written by a worker, while the next requests arrive.
    private const int MostWrittenAtOnce = 128 << 10;
    private const int MostReadAtOnce = 128 << 10;

    // What is refused is taken off the wire up to here, so that the connection goes on.
    private const long MostSkipped = 2L * NbdLimits.MaxPayload;

    private readonly NbdAgreement _agreement;
    private readonly INbdExport _export;
    private readonly NbdWorkers _workers;
    private readonly NbdBudget _allBytes;

    // These two are never closed: the connection's own thread alone takes from them.
    private readonly NbdBudget _bytes;
    private readonly NbdBudget _requests;
    private readonly NbdOutbox _outbox;
    private readonly byte[] _received = new byte[ReceiveBytes];
    private int _start;
    private int _end;

    /// <summary>Prepares to serve.</summary>
    /// <param name="agreement">What was negotiated.</param>
    /// <param name="workers">Shared by all connections.</param>
    /// <param name="allBytes">Shared by all connections.</param>
    /// <param name="options">How.</param>
    public NbdConnection(NbdAgreement agreement, NbdWorkers workers, NbdBudget allBytes, NbdServerOptions options)
    {
        _agreement = agreement;
        _export = agreement.Export;
        _workers = workers;
        _allBytes = allBytes;
        _bytes = new NbdBudget(options.ConnectionBytes);
        _requests = new NbdBudget(options.ConnectionRequests);
        _outbox = new NbdOutbox(agreement.Stream);
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
            _requests.WaitUntilFree();
        }
    }

    /// <summary>Ends the thread that sends. After <see cref="Run"/> has returned.</summary>
    public void Dispose() => _outbox.Dispose();

    /// <returns>False at the end: the client has gone between two requests.</returns>
    private bool TakeRequest(out NbdRequest request)
    {
        while (_end - _start < NbdRequest.Size)
        {
            // All that has arrived is done: what could be answered at once leaves together.
            _outbox.Flush();
            if (!Fill())
            {
                request = default;
                return _end == _start ? false : throw new NbdProtocolException("the client has gone in the middle of a request");
            }
        }

        if (!NbdRequest.TryRead(_received.AsSpan(_start, NbdRequest.Size), out request))
        {
            throw new NbdProtocolException("what the client sent is no request");
        }

        _start += NbdRequest.Size;
        return true;
    }

    private bool Fill()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_start > 0)
        {
            _received.AsSpan(_start, _end - _start).CopyTo(_received);
            (_start, _end) = (0, _end - _start);
        }

        int read = _agreement.Stream.Read(_received.AsSpan(_end));
        _end += read;
        return read > 0;
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
                Later(request);
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
            if (_start == _end)
            {
                FillOrThrow();
            }

            int skipped = (int)Math.Min(length, _end - _start);
            _start += skipped;
            length -= skipped;
        }
    }

    private void Answer(in NbdRequest request, NbdError error = NbdError.None, string why = "")
    {
        byte[] reply = NbdReply.Outcome(request, _agreement.IsStructured, error, why);
        reply.CopyTo(_outbox.Gather(reply.Length));
        _outbox.Gathered(reply.Length);
    }

    private void Read(in NbdRequest request)
    {
        if (request.Length == 0)
        {
            // A chunk with data has to have some.
            Answer(request);
            return;
        }

        if (request.Length <= MostReadAtOnce)
        {
            int head = NbdReply.HeadOfData(_agreement.IsStructured);
            Span<byte> reply = _outbox.Gather(head + (int)request.Length);
            if (TryReadNow(request, reply[head..]))
            {
                NbdReply.WriteDataHead(reply, request, _agreement.IsStructured);
                _outbox.Gathered(reply.Length);
                return;
            }
        }

        Later(request);
    }

    // A failure is not looked at here: the worker meets it again, and can say what it is.
    private bool TryReadNow(in NbdRequest request, Span<byte> buffer)
    {
        try
        {
            return _export.TryReadNow((long)request.Offset, buffer);
        }
        catch (NbdExportException)
        {
            return false;
        }
    }

    private void Write(in NbdRequest request)
    {
        int length = (int)request.Length;
        if (length <= MostWrittenAtOnce && !request.Flags.HasFlag(NbdCommandFlags.Fua))
        {
            while (_end - _start < length)
            {
                FillOrThrow();
            }

            (NbdError error, string why) = Try(request, _received.AsSpan(_start, length));
            _start += length;
            Answer(request, error, why);
            return;
        }

        Claim(length);
        byte[] data = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int there = Math.Min(length, _end - _start);
            _received.AsSpan(_start, there).CopyTo(data);
            _start += there;
            _outbox.Flush();
            _agreement.Stream.ReadExactly(data, there, length - there);
        }
        catch
        {
            Release(length);
            throw;
        }

        Post(request, data);
    }

    private void FillOrThrow()
    {
        _outbox.Flush();
        if (!Fill())
        {
            throw new NbdProtocolException("the client has gone in the middle of a write");
        }
    }

    private void Later(in NbdRequest request)
    {
        Claim(BytesOf(request));
        Post(request, data: null);
    }

    private static long BytesOf(in NbdRequest request) => request.Command is NbdCommand.Read or NbdCommand.Write ? request.Length : 0;

    private void Claim(long bytes)
    {
        // Who waits for others must not keep what they wait for.
        _outbox.Flush();
        _requests.Take(1);
        _bytes.Take(bytes);
        if (!_allBytes.Take(bytes))
        {
            _bytes.Return(bytes);
            _requests.Return(1);
            throw new NbdProtocolException("the server is going away");
        }
    }

    private void Release(long bytes)
    {
        _allBytes.Return(bytes);
        _bytes.Return(bytes);
        _requests.Return(1);
    }

    private void Post(NbdRequest request, byte[]? data) => _workers.Do(() =>
    {
        long bytes = BytesOf(request);
        switch (request.Command)
        {
            case NbdCommand.Read:
                ReadLater(request);
                break;
            case NbdCommand.BlockStatus:
                StatusLater(request);
                break;
            default:
                (NbdError error, string why) = Try(request, data.AsSpan(0, data is null ? 0 : (int)request.Length));
                if (data is not null)
                {
                    ArrayPool<byte>.Shared.Return(data);
                }

                _outbox.Post(NbdReply.Outcome(request, _agreement.IsStructured, error, why), null, () => Release(bytes));
                break;
        }
    });

    private void ReadLater(NbdRequest request)
    {
        int head = NbdReply.HeadOfData(_agreement.IsStructured);
        byte[] reply = ArrayPool<byte>.Shared.Rent(head + (int)request.Length);
        try
        {
            _export.Read((long)request.Offset, reply.AsSpan(head, (int)request.Length));
            NbdReply.WriteDataHead(reply, request, _agreement.IsStructured);
            _outbox.Post(reply.AsMemory(0, head + (int)request.Length), reply, () => Release(request.Length));
        }
        catch (Exception exception)
        {
            ArrayPool<byte>.Shared.Return(reply);
            (NbdError error, string why) = Describe(exception);
            _outbox.Post(NbdReply.Outcome(request, _agreement.IsStructured, error, why), null, () => Release(request.Length));
        }
    }

    private void StatusLater(NbdRequest request)
    {
        try
        {
            List<byte[]> chunks = [];
            for (int i = 0; i < _agreement.StatusKinds.Length; i++)
            {
                int kind = _agreement.StatusKinds[i];
                chunks.Add(NbdReply.Status(request, kind + 1, Extents(kind, request), isLast: i == _agreement.StatusKinds.Length - 1));
            }

            foreach (byte[] chunk in chunks)
            {
                _outbox.Post(chunk, null, ReferenceEquals(chunk, chunks[^1]) ? () => Release(0) : null);
            }
        }
        catch (Exception exception)
        {
            (NbdError error, string why) = Describe(exception);
            _outbox.Post(NbdReply.Outcome(request, _agreement.IsStructured, error, why), null, () => Release(0));
        }
    }

    private List<NbdExtent> Extents(int kind, in NbdRequest request)
    {
        int most = request.Flags.HasFlag(NbdCommandFlags.ReqOne) ? 1 : NbdLimits.MaxExtents;
        List<NbdExtent> found = [];
        long left = request.Length;
        foreach (NbdExtent extent in _export.Status(kind, (long)request.Offset, request.Length))
        {
            NbdExtent part = extent with { Length = Math.Min(extent.Length, left) };
            if (found.Count > 0 && found[^1].Flags == part.Flags)
            {
                found[^1] = part with { Length = found[^1].Length + part.Length };
            }
            else if (found.Count == most)
            {
                break;
            }
            else
            {
                found.Add(part);
            }

            left -= part.Length;
            if (left == 0)
            {
                break;
            }
        }

        return found;
    }

    /// <summary>Does what returns nothing.</summary>
    private (NbdError Error, string Why) Try(in NbdRequest request, ReadOnlySpan<byte> data)
    {
        try
        {
            if (!Do(request, data))
            {
                return (NbdError.NotSupported, "zeros are no faster than data here");
            }

            if (request.Flags.HasFlag(NbdCommandFlags.Fua) && request.Command is NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim)
            {
                _export.Flush();
            }

            return (NbdError.None, string.Empty);
        }
        catch (Exception exception)
        {
            return Describe(exception);
        }
    }

    private bool Do(in NbdRequest request, ReadOnlySpan<byte> data)
    {
        (long offset, long length) = ((long)request.Offset, request.Length);
        switch (request.Command)
        {
            case NbdCommand.Write:
                _export.Write(offset, data);
                return true;
            case NbdCommand.WriteZeroes:
                return _export.Zero(
                    offset,
                    length,
                    mayPunch: !request.Flags.HasFlag(NbdCommandFlags.NoHole),
                    fastOnly: request.Flags.HasFlag(NbdCommandFlags.FastZero));
            case NbdCommand.Trim:
                _export.Trim(offset, length);
                return true;
            case NbdCommand.Cache:
                _export.Cache(offset, length);
                return true;
            default:
                _export.Flush();
                return true;
        }
    }

    private static (NbdError Error, string Why) Describe(Exception exception) => exception is NbdExportException known
        ? (known.Error, known.Message)
        : (NbdError.Io, exception.Message);
}
