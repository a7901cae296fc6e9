using System.Text.Json;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>Fields of what QEMU answers; one that is missing or of another kind reads as nothing.</summary>
internal static class QmpFields
{
    /// <summary>A text, or an empty one.</summary>
    public static string Text(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()! : string.Empty;
}
