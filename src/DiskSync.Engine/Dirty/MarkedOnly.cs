namespace DiskSync.Engine.Dirty;

/// <summary>A dirty source that adds nothing: a repair round looks only at blocks that were marked for it.</summary>
public sealed class MarkedOnly : IDirtySource
{
    private MarkedOnly()
    {
    }

    /// <summary>The one instance.</summary>
    public static MarkedOnly Instance { get; } = new();

    /// <inheritdoc/>
    public string Name => "marked blocks only";

    /// <inheritdoc/>
    public void MarkInto(DirtyBitmap bitmap)
    {
        // They are marked already.
    }
}
