namespace DiskSync.Engine.Tracking;

/// <summary>A write was refused because the image is not this host's any more.</summary>
/// <param name="reason">Why, for people.</param>
public sealed class GateShutException(string reason) : Exception(reason);
