using System.Text.Json.Serialization;

namespace DiskSync.Cli.Output;

/// <summary>The JSON line on standard error that says why a command failed.</summary>
/// <param name="Kind">The exit code's name (<see cref="Running.ExitCodes"/>).</param>
/// <param name="ExitCode">The exit code.</param>
/// <param name="Message">What happened.</param>
/// <param name="Advice">What to do next; absent where there is nothing to add.</param>
internal sealed record ErrorEvent(string Kind, int ExitCode, string Message, string? Advice)
{
    /// <summary>What tells this line from the others.</summary>
    [JsonPropertyOrder(-1)]
    public string Event { get; } = "error";
}
