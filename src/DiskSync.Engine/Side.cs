namespace DiskSync.Engine;

/// <summary>The side of a copy that an error or a message speaks of.</summary>
public enum Side
{
    /// <summary>Where the image is read.</summary>
    Source,

    /// <summary>Where the copy is written.</summary>
    Destination,
}
