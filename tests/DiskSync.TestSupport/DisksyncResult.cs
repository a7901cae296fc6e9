using System.Text.Json;

namespace DiskSync.TestSupport;

/// <summary>How a run of <c>disksync</c> ended.</summary>
/// <param name="ExitCode">The exit code; 128 plus the signal where one killed it.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record DisksyncResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output as the one JSON object that <c>--json</c> prints.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>The error event of a failed run with <c>--json</c>.</summary>
    public JsonElement JsonError => JsonDocument.Parse(
        Error.Split('\n').Last(line => line.Contains("\"event\":\"error\"", StringComparison.Ordinal))).RootElement;

    /// <inheritdoc/>
    public override string ToString() => $"exit code {ExitCode}\n--- output\n{Output}\n--- error\n{Error}";
}
