namespace DiskSync.Engine.Tail;

/// <summary>The source could not read a part of its frozen image, or what it sent is not what that image held.</summary>
/// <param name="message">What happened, with the offset.</param>
/// <param name="inner">Why.</param>
public sealed class TailSourceException(string message, Exception? inner = null) : Exception(message, inner);
