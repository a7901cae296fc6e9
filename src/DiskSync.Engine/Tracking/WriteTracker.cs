using System.Diagnostics;
using DiskSync.Engine.Blocks;

namespace DiskSync.Engine.Tracking;

/// <summary>What is known of the writes to one image that go through its export: where they were, and how long they took.</summary>
/// <remarks>
/// Thread safe. Any number of maps may watch at once, each for somebody else: the rounds of a migration, and what has
/// changed since the image came here.
/// </remarks>
public sealed class WriteTracker : IDisposable
{
    private readonly Lock _lock = new();
    private DirtyMap[] _maps = [];
    private long _written;

    /// <summary>The fence that every write passes.</summary>
    public WriteGate Gate { get; } = new();

    /// <summary>Slows writes where a migration asks for it.</summary>
    public WriteBrake Brake { get; } = new();

    /// <summary>How long writes took, what they waited at the fence and the brake included: what the guest feels.</summary>
    public LatencyHistogram Latencies { get; } = new();

    /// <summary>Bytes written so far, those of failed writes included.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Has a map marked by every write that is answered from now on.</summary>
    public void Attach(DirtyMap map)
    {
        lock (_lock)
        {
            Volatile.Write(ref _maps, [.. _maps, map]);
        }
    }

    /// <summary>Ends that.</summary>
    public void Detach(DirtyMap map)
    {
        lock (_lock)
        {
            Volatile.Write(ref _maps, [.. _maps.Where(m => m != map)]);
        }
    }

    /// <summary>Before a write.</summary>
    /// <param name="image">The image, for messages.</param>
    /// <param name="offset">Where.</param>
    /// <param name="length">How many bytes.</param>
    /// <returns>To be given to <see cref="End"/>, which must be called where this does not throw.</returns>
    /// <exception cref="ImageIOException">The image is not this host's any more; nothing may be written.</exception>
    public long Begin(IBlockDevice image, long offset, long length)
    {
        ArgumentNullException.ThrowIfNull(image);
        long start = Stopwatch.GetTimestamp();
        Brake.Wait(length);
        try
        {
            Gate.Enter();
        }
        catch (GateShutException shut)
        {
            throw new ImageIOException(
                Side.Source, image.Name, offset, $"write {length} bytes", shut.Message, "Stop what writes here: the machine is to run where the image is.", shut);
        }

        return start;
    }

    /// <summary>After a write and before its answer, whether it succeeded or not.</summary>
    /// <param name="start">What <see cref="Begin"/> gave.</param>
    /// <param name="offset">Where.</param>
    /// <param name="length">How many bytes.</param>
    public void End(long start, long offset, long length)
    {
        // Once more where a map was attached meanwhile: whoever attached it then looks at an older one, and must find there
        // all that the new one will not tell.
        DirtyMap[] maps;
        do
        {
            maps = Volatile.Read(ref _maps);
            foreach (DirtyMap map in maps)
            {
                map.Mark(offset, length);
            }
        }
        while (maps != Volatile.Read(ref _maps));

        Gate.Leave();
        Interlocked.Add(ref _written, length);
        Latencies.AddSince(start);
    }

    /// <inheritdoc/>
    public void Dispose() => Gate.Dispose();
}
