namespace DiskSync.TestSupport.PowerCuts;

/// <summary>A host's storage in memory that loses, reorders and tears what was not flushed.</summary>
/// <remarks>
/// Every write, truncation, rename and flush is one operation. The machine can be stopped at any of them
/// (<see cref="StopAfter"/>), and any can be made to fail (<see cref="FailAfter"/>). After a stop either nothing is
/// lost (a killed process) or the power was cut (<see cref="PowerCut"/>). Everything follows from the seed. Not thread
/// safe.
/// </remarks>
public sealed class SimulatedMedium
{
    private readonly List<SimulatedVolume> _volumes = [];
    private long _untilStop = -1;
    private long _untilFailure = -1;

    /// <summary>Makes an empty medium.</summary>
    /// <param name="seed">What all chances follow from.</param>
    public SimulatedMedium(int seed) => Random = new Random(seed);

    /// <summary>The flush that does nothing, to prove that it is needed.</summary>
    public FlushPoint TakenOut { get; set; }

    /// <summary>What the journal is being flushed for, as told by whoever runs the simulation.</summary>
    public FlushPoint Phase { get; set; }

    /// <summary>How many operations there were.</summary>
    public long Operations { get; private set; }

    /// <summary>Grows with each power cut; handles from before are dead.</summary>
    internal int Generation { get; private set; }

    internal Random Random { get; }

    /// <summary>Makes an image of zeros.</summary>
    public SimulatedImage CreateImage(string name, long length) => Add(new SimulatedImage(this, name, length));

    /// <summary>Makes an empty state file, whose name is durable already.</summary>
    public SimulatedFile CreateStateFile(string name, FlushPoint flush = FlushPoint.Map) =>
        Add(new SimulatedFile(this, name, flush));

    /// <summary>Stops the machine at the operation after so many more.</summary>
    public void StopAfter(long operations) => _untilStop = operations;

    /// <summary>Lets the operation after so many more fail.</summary>
    public void FailAfter(long operations) => _untilFailure = operations;

    /// <summary>Takes back what <see cref="StopAfter"/> and <see cref="FailAfter"/> have in store.</summary>
    public void Calm() => (_untilStop, _untilFailure) = (-1, -1);

    /// <summary>Cuts the power: of what was not flushed, some survives, in any order, in pieces.</summary>
    public void PowerCut()
    {
        Generation++;
        Calm();
        foreach (SimulatedVolume volume in _volumes.ToArray())
        {
            volume.PowerCut();
        }
    }

    /// <summary>Adds something that a power cut must reach.</summary>
    internal T Add<T>(T volume)
        where T : SimulatedVolume
    {
        _volumes.Add(volume);
        return volume;
    }

    /// <summary>Forgets a file that nobody can reach any more.</summary>
    internal void Remove(SimulatedVolume volume) => _volumes.Remove(volume);

    /// <summary>Counts an operation.</summary>
    /// <returns>Whether it has to fail.</returns>
    /// <exception cref="PowerCutException">The machine stops before it.</exception>
    internal bool MustFail()
    {
        Operations++;
        if (_untilStop >= 0 && _untilStop-- == 0)
        {
            throw new PowerCutException();
        }

        return _untilFailure >= 0 && _untilFailure-- == 0;
    }
}
