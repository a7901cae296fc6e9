using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace DiskSync.Cli.Output;

/// <summary>Every object that <c>--json</c> prints, serialised without reflection; documented in docs/commands.md.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    GenerationMode = JsonSourceGenerationMode.Default,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ApplyReport))]
[JsonSerializable(typeof(CompletionResult))]
[JsonSerializable(typeof(PushReport))]
[JsonSerializable(typeof(OwnerOutput))]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(AbortReport))]
[JsonSerializable(typeof(CleanReport))]
[JsonSerializable(typeof(ExportReport))]
[JsonSerializable(typeof(ReceiveReport))]
[JsonSerializable(typeof(MigrateReport))]
[JsonSerializable(typeof(ResolvedReport))]
[JsonSerializable(typeof(KeyReport))]
[JsonSerializable(typeof(TrustReport))]
[JsonSerializable(typeof(DeltaResult))]
[JsonSerializable(typeof(DiffResult))]
[JsonSerializable(typeof(ManualResult))]
[JsonSerializable(typeof(MapResult))]
[JsonSerializable(typeof(TailReport))]
[JsonSerializable(typeof(VerifyResult))]
[JsonSerializable(typeof(ErrorEvent))]
[JsonSerializable(typeof(MessageEvent))]
[JsonSerializable(typeof(LogEvent))]
[JsonSerializable(typeof(ProgressEvent))]
internal sealed partial class CliJson : JsonSerializerContext
{
    // Paths and messages are read by people too; the relaxed encoder leaves their letters alone.
    private static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonWriterOptions Indented = OneLine with { Indented = true };

    /// <summary>Writes the object over several lines, for standard output; long lists are written as they are enumerated.</summary>
    public static void Write<T>(Stream output, T value, JsonTypeInfo<T> type)
    {
        using var writer = new Utf8JsonWriter(output, Indented);
        JsonSerializer.Serialize(writer, value, type);
    }

    /// <summary>The object on one line, for the JSON lines of standard error.</summary>
    public static string Line<T>(T value, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, OneLine))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
