using DiskSync.Engine.Transports;
using DiskSync.TestSupport;

namespace DiskSync.Engine.Tests.Replication;

/// <summary>Connections to a lab's receiver, as many as are asked for, that are cut or stand still when a test says so.</summary>
internal sealed class ManyWires(SessionLab lab)
{
    private int _stalled;

    /// <summary>After how many bytes towards the destination each connection is cut.</summary>
    public long CutEvery { get; set; } = long.MaxValue;

    /// <summary>After how many bytes the second connection stands still, without being closed.</summary>
    public long StallAfter { get; set; } = long.MaxValue;

    /// <summary>Whether connections after the first are refused.</summary>
    public bool Refuse { get; set; }

    /// <summary>Called when a connection is cut.</summary>
    public Action? OnCut { get; set; }

    private int _dialed;

    public Task<ITransport> DialAsync(CancellationToken cancellationToken)
    {
        int number = _dialed++;
        if (Refuse && number > 0)
        {
            throw new TransportLostException("connection refused");
        }

        bool stalls = StallAfter < long.MaxValue && number > 0 && Interlocked.Exchange(ref _stalled, 1) == 0;
        DelayingProxy wire = new(cutAfter: CutEvery, holdAfter: stalls ? StallAfter : long.MaxValue);
        _ = lab.ServeAsync(wire.Destination);
        if (OnCut is { } onCut)
        {
            _ = wire.ToDestination.ContinueWith(_ => onCut(), TaskScheduler.Default);
        }

        return Task.FromResult(wire.Source);
    }
}
