using BenchmarkDotNet.Configs;

namespace DiskSync.Bench;

/// <summary>Shows <see cref="Throughput"/> for the parameter Length.</summary>
public sealed class ThroughputConfig : ManualConfig
{
    /// <summary>Makes the configuration.</summary>
    public ThroughputConfig()
    {
        AddColumn(new Throughput("Length"));
    }
}
