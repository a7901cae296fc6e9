using DiskSync.Engine.Replication;

namespace DiskSync.TestSupport.Copying;

/// <summary>What encoding each batch of some data costs with each codec.</summary>
public interface ICodecCosts
{
    /// <summary>How many batches there are.</summary>
    int Batches { get; }

    /// <summary>The payload of a batch, in bytes.</summary>
    long PayloadOf(int batch);

    /// <summary>What a codec makes of a batch.</summary>
    BatchCost CostOf(int batch, BatchCodec codec);
}
