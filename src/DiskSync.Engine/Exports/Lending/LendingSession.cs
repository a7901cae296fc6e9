using DiskSync.Codecs;
using DiskSync.Engine.Tracking;
using DiskSync.Formats.ExportControl;

namespace DiskSync.Engine.Exports.Lending;

/// <summary>The export's end of one lending: a borrower's requests, answered one after the other.</summary>
internal sealed class LendingSession : IDisposable
{
    private readonly LendableImage _image;
    private readonly DirtyMap _dirty;

    public LendingSession(LendableImage image)
    {
        _image = image;
        _dirty = new DirtyMap(image.Length);

        // Before Lent is sent: the borrower's first scan begins after it.
        _image.Tracker.Attach(_dirty);
    }

    /// <summary>Answers until the borrower ends the connection.</summary>
    public void Run(ControlChannel channel)
    {
        channel.Send(new Lent(
            _image.Path, (ulong)_image.Length, _image.Baseline?.Root ?? Hash256.Unknown, _image.Baseline?.Epoch ?? 0));
        while (channel.Receive(Timeout.InfiniteTimeSpan) is { } request)
        {
            switch (request)
            {
                case TakeDirty { Since: DirtySince.LastTaken }:
                    SendDirty(channel, _dirty.Take());
                    break;
                case TakeDirty when _image.Baseline is { } baseline:
                    SendDirty(channel, baseline.Since.Peek());
                    break;
                case TakeDirty:
                    channel.Send(new Refusal($"of source {_image.Path} no earlier state is known", "Scan it."));
                    break;
                case FenceWrites fence:
                    bool isDrained = _image.Tracker.Gate.Fence(TimeSpan.FromMilliseconds(fence.PatienceMs));
                    channel.Send(new Fenced(isDrained, (uint)_image.Tracker.Gate.Held));
                    break;
                case ReleaseWrites:
                    _image.Tracker.Gate.Release();
                    channel.Send(new Done());
                    break;
                case SlowWrites slow:
                    _image.Tracker.Brake.Set(
                        slow.Rate == 0 ? double.PositiveInfinity : slow.Rate, TimeSpan.FromMilliseconds(slow.CeilingMs));
                    channel.Send(new Done());
                    break;
                case AskLoad:
                    channel.Send(new Load(
                        (ulong)_image.Tracker.Written, (ulong)_dirty.DirtyBytes, _image.Tracker.Latencies.Snapshot()));
                    break;
                default:
                    throw new IOException($"a borrower sent {request.GetType().Name}, which is no request");
            }
        }
    }

    /// <summary>Ends the tracking for this borrower.</summary>
    public void Dispose() => _image.Tracker.Detach(_dirty);

    private static void SendDirty(ControlChannel channel, IEnumerable<DirtyChunk> chunks)
    {
        // All of it is cleared before the first is sent, and so before the borrower reads the first block.
        DirtyChunk[] dirty = [.. chunks];
        foreach (DirtyChunk chunk in dirty)
        {
            channel.Send(new DirtyBits((uint)chunk.Index, chunk.Words));
        }

        channel.Send(new DirtyEnd((uint)dirty.Length));
    }
}
