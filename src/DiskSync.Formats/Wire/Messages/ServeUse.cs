namespace DiskSync.Formats.Wire.Messages;

/// <summary>What a connection of an on-demand tail is for.</summary>
public enum ServeUse : byte
{
    /// <summary>What a guest waits for.</summary>
    Urgent = 1,

    /// <summary>What is fetched before anybody asks for it.</summary>
    Background = 2,

    /// <summary>The frozen image's block map, instead of the image.</summary>
    Hashes = 3,
}
