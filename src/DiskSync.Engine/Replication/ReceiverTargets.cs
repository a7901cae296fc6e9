using System.Collections.Concurrent;
using DiskSync.Engine.Transports;

namespace DiskSync.Engine.Replication;

/// <summary>The targets that one session has open, by their image index.</summary>
/// <remarks>Thread safe as far as looking up and fencing goes; opening and forgetting are done alone (<see cref="SessionGate"/>).</remarks>
/// <param name="host">Knows which session holds which target.</param>
/// <param name="session">The session.</param>
/// <param name="peer">The source, for messages.</param>
internal sealed class ReceiverTargets(ReceiverHost host, ReceiverSession session, string peer)
{
    private readonly ConcurrentDictionary<ushort, ITarget> _targets = [];
    private readonly Dictionary<ushort, EarlyReader> _readers = [];

    /// <summary>Those that are open, for the hand-over.</summary>
    public IReadOnlyDictionary<ushort, ITarget> All => _targets;

    /// <summary>How many blocks they have together.</summary>
    public long BlockCount => _targets.Values.Sum(t => t.Store.Geometry.BlockCount);

    /// <summary>Takes an opened target in.</summary>
    public void Add(ushort image, ITarget target) => _targets[image] = target;

    /// <summary>An image's target.</summary>
    /// <exception cref="TransportLostException">It is not open, or was finished and closed.</exception>
    public ITarget Of(ushort image) => _targets.TryGetValue(image, out ITarget? target) && !target.Store.IsClosed
        ? target
        : throw new TransportLostException($"{peer} spoke of image {image}, which is not open");

    /// <summary>A checkpoint of an image has ended: what it has made durable may be read back from here on.</summary>
    public void ReadBackEarly(ushort image)
    {
        lock (_readers)
        {
            if (!_targets.TryGetValue(image, out ITarget? target))
            {
                return;
            }

            if (!_readers.TryGetValue(image, out EarlyReader? reader))
            {
                reader = new EarlyReader(target.Store, () => session.Gate.IsBusy, host.Logger);
                _readers.Add(image, reader);
            }

            reader.Wake();
        }
    }

    /// <summary>No write happens after this returns (safety rule 2).</summary>
    public void Fence()
    {
        foreach (ITarget target in _targets.Values.ToArray())
        {
            target.Store.Fence();
        }
    }

    /// <summary>Closes a target and lets other sessions have it.</summary>
    public void Forget(ushort image)
    {
        EarlyReader? reader;
        ITarget? target;
        lock (_readers)
        {
            _readers.Remove(image, out reader);
            _targets.TryRemove(image, out target);
        }

        reader?.Dispose();
        if (target is not null)
        {
            target.Dispose();
            host.Release(target.Name, session);
        }
    }

    /// <summary>Closes all of them, with what has arrived made durable where that is possible.</summary>
    public void Close()
    {
        foreach ((ushort image, ITarget target) in _targets.ToArray())
        {
            try
            {
                // A source that lost its connection comes back; what arrived need not be sent again. Where a write or
                // flush has failed, that is what ended the session, and was told.
                if (!target.Store.IsClosed && !target.Store.HasFailed)
                {
                    target.Store.Checkpoint();
                }
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                ReceiverLog.LastCheckpointFailed(host.Logger, target.Name, exception.Message);
            }

            Forget(image);
        }
    }
}
