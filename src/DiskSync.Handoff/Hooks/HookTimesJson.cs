using System.Text.Json.Serialization;

namespace DiskSync.Handoff.Hooks;

/// <summary>Serialisers of <see cref="HookTimes"/>, made when the program is built.</summary>
[JsonSerializable(typeof(Dictionary<string, double>))]
internal sealed partial class HookTimesJson : JsonSerializerContext;
