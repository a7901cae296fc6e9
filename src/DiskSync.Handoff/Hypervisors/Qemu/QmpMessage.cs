using System.Text.Json;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>One message of QEMU's.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Id">The command that it answers; null where it names none of ours.</param>
/// <param name="Name">The event's name, or the error's class; else empty.</param>
/// <param name="Text">The error's description, for people; else empty.</param>
/// <param name="Value">What a command returned, or the event's data; undefined where there is none.</param>
public sealed record QmpMessage(QmpMessageKind Kind, long? Id, string Name, string Text, JsonElement Value);
