namespace DiskSync.Formats.Wire.Messages;

/// <summary>Where a copy starts from when nothing is staged.</summary>
public enum BaseChoice : byte
{
    /// <summary>An empty image.</summary>
    None = 0,

    /// <summary>The image that stands at the target's name.</summary>
    Target = 1,

    /// <summary>The image named in the message.</summary>
    Named = 2,
}
