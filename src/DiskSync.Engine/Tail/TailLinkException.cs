namespace DiskSync.Engine.Tail;

/// <summary>The source cannot be reached now.</summary>
/// <param name="message">What happened.</param>
/// <param name="inner">Why.</param>
public sealed class TailLinkException(string message, Exception? inner = null) : Exception(message, inner);
