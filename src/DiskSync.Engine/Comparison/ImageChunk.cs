namespace DiskSync.Engine.Comparison;

/// <summary>Neighbouring blocks that one worker takes at once.</summary>
/// <param name="First">The number of the first block.</param>
/// <param name="Count">How many blocks; without a limit where nothing has to be read.</param>
/// <param name="BaseIsData">Whether the base has to be read (false: it reads as zeros).</param>
/// <param name="ImageIsData">Whether the image has to be read (false: it reads as zeros).</param>
internal readonly record struct ImageChunk(long First, long Count, bool BaseIsData, bool ImageIsData)
{
    /// <summary>Whether a worker has to read anything.</summary>
    public bool IsData => BaseIsData || ImageIsData;
}
