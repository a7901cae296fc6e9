namespace DiskSync.Cli.Output;

/// <summary>A note or warning as a JSON line on standard error.</summary>
/// <param name="Event">"note", "warning", or "peer" for what the other side's program wrote.</param>
/// <param name="Message">What it says.</param>
internal sealed record MessageEvent(string Event, string Message);
