using System.Diagnostics;
using DiskSync.Nbd.Wire;

namespace DiskSync.Nbd.Client;

/// <summary>A request under way, and what has come of its answer.</summary>
/// <remarks>Between sending and the end of <see cref="Done"/> only the thread that receives touches it and its buffer.</remarks>
/// <param name="request">As it is sent; its length is at most <see cref="int.MaxValue"/> for a read.</param>
/// <param name="buffer">Takes what is read; as long as the request says.</param>
/// <param name="limit">How long it may stay unanswered.</param>
internal sealed class NbdPending(NbdRequest request, Memory<byte> buffer, TimeSpan limit)
{
    private readonly long _begun = Stopwatch.GetTimestamp();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NbdCoverage? _coverage = request.Command == NbdCommand.Read ? new NbdCoverage((int)request.Length) : null;

    public NbdRequest Request => request;

    public Memory<byte> Buffer => buffer;

    /// <summary>Ends when the answer is whole, or the connection is dead.</summary>
    public Task Done => _done.Task;

    /// <summary>Extents by the kind's number on the wire.</summary>
    public Dictionary<uint, NbdExtent[]> Status { get; } = [];

    /// <summary>The first error that the answer told of.</summary>
    public (NbdError Error, string Message)? Error { get; set; }

    /// <summary>Whether it has been unanswered for longer than it may.</summary>
    public bool IsOverdue => Stopwatch.GetElapsedTime(_begun) > limit;

    public TimeSpan Limit => limit;

    /// <summary>Checks that a part of a read belongs to it and has not come before, and finds its place.</summary>
    public Memory<byte> Part(ulong offset, uint length)
    {
        if (_coverage is null)
        {
            throw NbdReplyReader.Violation($"it sends data as an answer to {request.Command}");
        }

        if (offset < request.Offset || offset - request.Offset > request.Length || length > request.Length - (offset - request.Offset))
        {
            throw NbdReplyReader.Violation($"it sends {length} bytes at {offset} for a read of {request.Length} at {request.Offset}");
        }

        int start = (int)(offset - request.Offset);
        return _coverage.TryAdd(start, (int)length)
            ? buffer.Slice(start, (int)length)
            : throw NbdReplyReader.Violation($"it sends the {length} bytes at {offset} twice, or in too many parts");
    }

    /// <summary>The answer is whole.</summary>
    /// <param name="statusKinds">How many kinds of block status belong to one that went well.</param>
    public void End(int statusKinds)
    {
        if (Error is { } error)
        {
            string said = error.Message.Length > 0 ? $"{Name(error.Error)}, {error.Message}" : Name(error.Error);
            _done.TrySetException(new NbdServerException(error.Error, $"the server answered {said}"));
            return;
        }

        if (_coverage is { IsWhole: false })
        {
            throw NbdReplyReader.Violation($"it has answered a read of {request.Length} bytes at {request.Offset} with fewer");
        }

        if (request.Command == NbdCommand.BlockStatus && Status.Count != statusKinds)
        {
            throw NbdReplyReader.Violation($"it has answered {Status.Count} of {statusKinds} kinds of block status");
        }

        _done.TrySetResult();
    }

    /// <summary>There will be no answer.</summary>
    public void Fail(Exception why) => _done.TrySetException(why);

    private static string Name(NbdError error) => error switch
    {
        NbdError.NotPermitted => "EPERM (not permitted)",
        NbdError.Io => "EIO (I/O error)",
        NbdError.NoMemory => "ENOMEM (out of memory)",
        NbdError.Invalid => "EINVAL (invalid request)",
        NbdError.NoSpace => "ENOSPC (no space left)",
        NbdError.Overflow => "EOVERFLOW (too much at once)",
        NbdError.NotSupported => "ENOTSUP (not supported)",
        NbdError.Shutdown => "ESHUTDOWN (it is going away)",
        _ => $"error {(uint)error}",
    };
}
