namespace DiskSync.Engine.Dirty;

/// <summary>The dirty source that needs nobody's help: every block is read, hashed and compared, every round.</summary>
/// <remarks>It cannot miss a write, and it costs a scan of the image's allocated bytes for each round.</remarks>
public sealed class HashScan : IDirtySource
{
    /// <inheritdoc/>
    public string Name => "hash scan";

    /// <inheritdoc/>
    public void MarkInto(DirtyBitmap bitmap) => bitmap.MarkAll();
}
