namespace DiskSync.Formats.Wire.Messages;

/// <summary>The long operations that report progress.</summary>
public enum ProgressPhase : byte
{
    /// <summary>Hashing what the target or a base holds.</summary>
    Hashing = 1,

    /// <summary>Cloning the base.</summary>
    Cloning = 2,

    /// <summary>Reading back what was written.</summary>
    ReadingBack = 3,

    /// <summary>Flushing.</summary>
    Flushing = 4,

    /// <summary>A pause or resume command runs.</summary>
    Hook = 5,

    /// <summary>Renaming and sealing.</summary>
    Sealing = 6,
}
