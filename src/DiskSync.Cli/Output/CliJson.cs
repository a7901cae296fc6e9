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
[JsonSerializable(typeof(CompletionResult))]
[JsonSerializable(typeof(ErrorEvent))]
[JsonSerializable(typeof(MessageEvent))]
[JsonSerializable(typeof(LogEvent))]
[JsonSerializable(typeof(ProgressEvent))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>The object over several lines, for standard output.</summary>
    public static string Serialize<T>(T value, JsonTypeInfo<T> type) => Write(value, type, indented: true);

    /// <summary>The object on one line, for the JSON lines of standard error.</summary>
    public static string SerializeLine<T>(T value, JsonTypeInfo<T> type) => Write(value, type, indented: false);

    private static string Write<T>(T value, JsonTypeInfo<T> type, bool indented)
    {
        using var buffer = new MemoryStream();

        // Paths and messages are read by people too; the relaxed encoder leaves their letters alone.
        var options = new JsonWriterOptions
        {
            Indented = indented,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
