namespace DiskSync.Engine.Replication;

/// <summary>Which base a copy should start from.</summary>
/// <param name="Automatic">Whether the best one is to be chosen.</param>
/// <param name="Name">The base's name at the destination, where the user named one; else empty.</param>
public sealed record BaseRequest(bool Automatic, string Name)
{
    /// <summary>Choose the base with the fewest differing blocks.</summary>
    public static BaseRequest Auto { get; } = new(true, string.Empty);

    /// <summary>Start from an empty image.</summary>
    public static BaseRequest None { get; } = new(false, string.Empty);

    /// <summary>Start from this one.</summary>
    public static BaseRequest Named(string name) => new(false, name);
}
