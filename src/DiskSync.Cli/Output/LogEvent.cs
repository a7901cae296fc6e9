using System.Text.Json.Serialization;

namespace DiskSync.Cli.Output;

/// <summary>A log record as a JSON line on standard error.</summary>
/// <param name="Time">UTC, ISO 8601.</param>
/// <param name="Level">"debug", "information", "warning", "error", "critical".</param>
/// <param name="Id">The event id.</param>
/// <param name="Name">The event's name.</param>
/// <param name="Category">The class that logs.</param>
/// <param name="Message">The text with its values filled in.</param>
/// <param name="Values">The values by name, as text.</param>
/// <param name="Exception">The exception, where there is one.</param>
internal sealed record LogEvent(
    string Time,
    string Level,
    int Id,
    string? Name,
    string Category,
    string Message,
    Dictionary<string, string>? Values,
    string? Exception)
{
    /// <summary>What tells this line from the others.</summary>
    [JsonPropertyOrder(-1)]
    public string Event { get; } = "log";
}
