using System.Globalization;

namespace DiskSync.Interop.Tests;

/// <summary>How many processes are killed, and when; set by tools/killtest/run and tools/faults/run.</summary>
internal static class KillSettings
{
    /// <summary>DISKSYNC_KILLS: how often each side of a push is killed.</summary>
    public static int Kills { get; } = Read("DISKSYNC_KILLS", 4);

    /// <summary>How often each side of a migrate is killed: a few, for each takes twice as long.</summary>
    public static int MigrateKills { get; } = (Kills + 3) / 4;

    /// <summary>DISKSYNC_FAULTS: how often each part of a live move is broken.</summary>
    public static int LiveFaults { get; } = Read("DISKSYNC_FAULTS", 1);

    /// <summary>DISKSYNC_KILL_SEED: the first kill's seed; each kill after it has the next one.</summary>
    public static int FirstSeed { get; } = Read("DISKSYNC_KILL_SEED", 20);

    /// <summary>The dice of a seed.</summary>
    /// <remarks>Neighbouring seeds of <see cref="Random"/> throw much the same; a large odd factor puts them far apart.</remarks>
    public static Random Dice(int seed) => new(unchecked((int)((uint)seed * 2654435761u)));

    private static int Read(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
