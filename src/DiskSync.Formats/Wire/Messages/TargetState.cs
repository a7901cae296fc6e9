namespace DiskSync.Formats.Wire.Messages;

/// <summary>What a target holds when it is opened.</summary>
public enum TargetState : byte
{
    /// <summary>Zeros, known without reading.</summary>
    Empty = 1,

    /// <summary>Anything: a device, or a file that nobody has hashed.</summary>
    Unknown = 2,

    /// <summary>A clone of a base.</summary>
    Base = 3,

    /// <summary>What an earlier session staged.</summary>
    Resumed = 4,
}
