namespace DiskSync.Formats.ExportControl;

/// <summary>What was asked is not done.</summary>
/// <param name="Message">Why.</param>
/// <param name="Advice">What to do next.</param>
public sealed record Refusal(string Message, string Advice) : ControlMessage;
