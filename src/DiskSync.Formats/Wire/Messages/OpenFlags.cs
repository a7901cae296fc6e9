namespace DiskSync.Formats.Wire.Messages;

/// <summary>How a target is to be written.</summary>
[Flags]
public enum OpenFlags : uint
{
    /// <summary>A staged copy beside the target that replaces it when sealed.</summary>
    None = 0,

    /// <summary>Write the target itself.</summary>
    InPlace = 1 << 0,

    /// <summary>Do not resume what is staged; start again.</summary>
    Fresh = 1 << 1,

    /// <summary>The image is part of a hand-over: it is sealed by the attempt, not by Seal.</summary>
    HandOver = 1 << 2,
}
