namespace DiskSync.Formats.ExportControl;

/// <summary>How the fence stands.</summary>
/// <param name="IsDrained">Whether no write is under way any more; where not, the fence was taken away again.</param>
/// <param name="Held">How many writes wait.</param>
public sealed record Fenced(bool IsDrained, uint Held) : ControlMessage;
