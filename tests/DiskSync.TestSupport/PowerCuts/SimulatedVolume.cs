namespace DiskSync.TestSupport.PowerCuts;

/// <summary>Something on a <see cref="SimulatedMedium"/> that has a durable state and one that everybody sees.</summary>
public abstract class SimulatedVolume
{
    private protected SimulatedVolume(SimulatedMedium medium, string name)
    {
        Medium = medium;
        Name = name;
    }

    /// <summary>Its name, for messages.</summary>
    public string Name { get; }

    private protected SimulatedMedium Medium { get; }

    /// <summary>Lets chance decide what of the unflushed survives; afterwards everybody sees what is durable.</summary>
    internal abstract void PowerCut();

    /// <summary>Picks the survivors of a log, in a new order.</summary>
    /// <remarks>Now and then nothing or everything survives, which a coin for each write would hardly ever give.</remarks>
    private protected T[] Survivors<T>(List<T> log)
    {
        double chance = Medium.Random.Next(6) switch { 0 => 0, 1 => 1, _ => Medium.Random.NextDouble() };
        T[] survivors = [.. log.Where(_ => Medium.Random.NextDouble() < chance)];
        Medium.Random.Shuffle(survivors);
        return survivors;
    }
}
